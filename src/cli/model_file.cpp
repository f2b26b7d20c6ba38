#include "model_file.hpp"

#include "pillar/model/synthetic.hpp"

#include <algorithm>

namespace pillar::cli {

gguf::File open_model_file(const std::string& path, const std::string& synthetic) {
    if (synthetic.empty()) return gguf::File(path);
    const model::SyntheticName name = model::parse_synthetic_name(synthetic);
    return model::synthetic_model(*name.shape, name.mix);
}

std::size_t context_of(const model::Hyperparameters& h, std::size_t asked) noexcept {
    return asked != 0 ? asked : std::min<std::size_t>(h.context_length, 4096);
}

std::vector<std::string> files_read(const ModelOptions& model, const PromptOptions& prompt) {
    std::vector<std::string> files;
    if (!model.model.empty()) files = gguf::files_of_model(model.model);
    files.push_back(model.split.path); // empty: no trace
    files.push_back(prompt.file);
    return files;
}

} // namespace pillar::cli
