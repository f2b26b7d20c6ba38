#include "pillar/session/model_file.hpp"

#include "pillar/synthetic/synthetic.hpp"

#include <algorithm>
#include <utility>

namespace pillar::session {

gguf::File open_model_file(const ModelOptions& options) {
    if (!options.synthetic) return gguf::File(options.model);
    return synthetic::synthetic_model(options.synthetic->shape, options.synthetic->mix);
}

std::size_t context_of(const model::Hyperparameters& h, std::size_t asked) noexcept {
    return asked != 0 ? asked : std::min<std::size_t>(h.context_length, 4096);
}

std::vector<std::string> files_read(const ModelOptions& model, std::vector<std::string> others) {
    std::vector<std::string> files = std::move(others);
    if (!model.model.empty()) {
        const std::vector<std::string> parts = gguf::files_of_model(model.model);
        files.insert(files.end(), parts.begin(), parts.end());
    }
    if (!model.draft.model.empty()) {
        const std::vector<std::string> parts = gguf::files_of_model(model.draft.model);
        files.insert(files.end(), parts.begin(), parts.end());
    }
    files.push_back(model.split.path); // empty: no trace
    return files;
}

} // namespace pillar::session
