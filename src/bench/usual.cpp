#include "usual.hpp"

#include "pillar/gguf/value.hpp"
#include "pillar/model/architecture.hpp"
#include "pillar/quant/mix.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::bench {

std::vector<session::ModelOptions> models_of(const BenchOptions& options) {
    std::vector<session::ModelOptions> models;
    for (const std::string& file : options.files) {
        models.push_back(options.model);
        models.back().model = file;
    }
    for (const synthetic::SyntheticName& name : options.synthetic) {
        models.push_back(options.model);
        models.back().synthetic = name;
    }
    return models;
}

session::ModelOptions with_room(session::ModelOptions options,
                                const std::vector<BenchTest>& tests) {
    options.n_context = 1;
    options.n_batch = 1;
    for (const BenchTest& test : tests) {
        options.n_context = std::max(options.n_context, test.test.n_positions());
        options.n_batch = std::max(options.n_batch, test.test.n_batch);
        options.n_threads = std::max(options.n_threads, test.n_threads);
    }
    return options;
}

engine::LoopOptions loop_options() {
    engine::LoopOptions options;
    options.n_candidates = sampling::candidates_needed(options.sampling);
    return options;
}

engine::BenchmarkTest warm_up_of(engine::BenchmarkTest test) {
    test.n_gen = std::min<std::size_t>(test.n_gen, 1);
    return test;
}

std::string model_type(const model::Model& model, const session::ModelOptions& options) {
    const auto file_type = model.file.metadata().integer("general.file_type", 0, UINT32_MAX);
    const quant::MixInfo* mix =
        file_type ? quant::find_mix(static_cast<std::uint32_t>(*file_type)) : nullptr;
    const std::string title = mix == nullptr ? "" : " " + std::string(mix->title);
    if (options.synthetic) return title_of(options.synthetic->shape) + title + " synthetic";
    const auto n = static_cast<double>(model.plan.n_parameters);
    return std::string(model.h.architecture->name) +
           (n < 1e9 ? fmt::format(" {:.0f}M", n / 1e6) : fmt::format(" {:.1f}B", n / 1e9)) + title;
}

std::uint64_t tensor_bytes(const gguf::File& file) {
    std::uint64_t n_bytes = 0;
    for (const gguf::TensorInfo& tensor : file.tensors()) n_bytes += tensor.size_bytes;
    return n_bytes;
}

} // namespace pillar::bench
