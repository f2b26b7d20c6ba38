// All that can be wrong is looked at before the first byte is written, but for the weights
// themselves.

#include "pillar/quantize/quantize.hpp"

#include "columns/column_importance.hpp"
#include "encoders/family.hpp"
#include "output/output_files.hpp"
#include "rows/tensor_pass.hpp"
#include "rules/layer_rules.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::quantize {

namespace {

constexpr std::size_t most_parts = 512; // of a split model that gguf reads

/// From these there is little lost already.
bool is_source(quant::Type type) noexcept {
    return quant::is_float(type) || type == quant::Type::q8_0;
}

std::uint64_t bytes_of(quant::Type type, std::uint64_t n_elements) noexcept {
    const quant::TypeInfo& info = quant::info(type);
    return n_elements / info.block_weights * info.block_bytes;
}

struct Work {
    gguf::File model;
    ColumnImportance importance;
    Summary summary;
};

Summary::Tensor checked(const Work& work, const gguf::TensorInfo& tensor, const Choice& choice,
                        bool allow_requantize) {
    const std::string field = fmt::format("tensor \"{}\"", printable(tensor.name));
    const auto from = static_cast<quant::Type>(tensor.type->number);
    if (tensor.type->decode == nullptr)
        throw work.model.error(
            field, fmt::format("is {}, which cannot be read here or copied", tensor.type->name));
    const bool changes = from != choice.type;
    if (changes && !is_source(from) && !allow_requantize)
        throw work.model.error(
            field, fmt::format("is {} already, and quantising it again loses more than quantising "
                               "the original would; take that, or give --allow-requantize",
                               tensor.type->name));
    if (changes && best_family().encoder(choice.type) == nullptr)
        throw UsageError(fmt::format("{}: nothing can be quantised to {} here", field,
                                     quant::info(choice.type).name));
    return {.name = tensor.name,
            .shape = tensor.shape,
            .from = from,
            .to = choice.type,
            .bytes_before = tensor.size_bytes,
            .bytes_after = bytes_of(choice.type, tensor.n_elements()),
            .is_weighted =
                changes && !quant::is_float(choice.type) && work.importance.knows(tensor.name)};
}

Work prepare(const Options& options) {
    Work work{gguf::File(options.input), {}, {}};
    Summary& summary = work.summary;
    if (!options.importance.empty())
        work.importance = ColumnImportance(options.importance, work.model);
    const std::vector<Choice> choices = choose_types(work.model, options);
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const gguf::TensorInfo& tensor = work.model.tensors()[i];
        summary.tensors.push_back(checked(work, tensor, choices[i], options.allow_requantize));
        const Summary::Tensor& entry = summary.tensors.back();
        summary.n_weights += tensor.n_elements();
        summary.bytes_before += entry.bytes_before;
        summary.bytes_after += entry.bytes_after;
        summary.n_fallbacks += choices[i].is_fallback ? 1 : 0;
        const bool is_searched = entry.from != entry.to && !quant::is_float(entry.to);
        if (!work.importance.empty() && is_searched && !entry.is_weighted &&
            entry.name.starts_with("blk."))
            summary.unknown_to_importance.push_back(entry.name);
    }
    std::size_t n_parts = 0;
    if (options.split_max_bytes > 0) {
        n_parts = tensors_of_parts(summary.tensors, options.split_max_bytes).size();
        if (n_parts > most_parts)
            throw UsageError(fmt::format("--split-max-size: the model would lie in {} files, and "
                                         "at most {} are read; give a larger size",
                                         n_parts, most_parts));
    }
    summary.outputs = output_names(options.output, n_parts);
    // headers are the source's, or a little more
    const std::uint64_t header_bytes = work.model.size_bytes() - summary.bytes_before;
    if (!options.dry_run) expect_room(summary.outputs, options, summary.bytes_after + header_bytes);
    return work;
}

} // namespace

Summary plan(const Options& options) {
    return prepare(options).summary;
}

Summary quantize(const Options& options, ShowProgress show) {
    Work work = prepare(options);
    OutputFiles outputs(work.model, work.summary, options, work.importance);
    threads::Team team(options.n_threads);
    TensorPass pass(work.model, team, outputs);
    std::uint64_t done = 0;
    for (std::size_t i = 0; i < work.summary.tensors.size(); ++i) {
        const gguf::TensorInfo& tensor = work.model.tensors()[i];
        pass.run(tensor, work.summary.tensors[i].to, work.importance.of(tensor.name),
                 [&](std::uint64_t of_tensor) { show(done + of_tensor); });
        done += tensor.size_bytes;
    }
    work.model.expect_unchanged();
    outputs.close();
    return std::move(work.summary);
}

void encode_row(quant::Type type, const float* weights, const float* importance, std::size_t n,
                std::byte* out) {
    const EncodeRow encode = best_family().encoder(type);
    expects(encode != nullptr, "there is an encoder for the type");
    expects(n % quant::info(type).block_weights == 0, "a row is whole blocks");
    encode(weights, importance, n, out);
}

} // namespace pillar::quantize
