#include "model_file.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/model/synthetic.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace pillar::cli {

gguf::File open_model_file(const std::string& path, const std::string& synthetic) {
    if (synthetic.empty()) return gguf::File(path);
    const model::SyntheticName name = model::parse_synthetic_name(synthetic);
    return model::synthetic_model(*name.shape, name.mix);
}

std::size_t context_of(const model::Hyperparameters& h, std::size_t asked) noexcept {
    return asked != 0 ? asked : std::min<std::size_t>(h.context_length, 4096);
}

void expect_new_file(const std::string& path, bool force) {
    if (force || !std::filesystem::exists(path)) return;
    throw Error(ExitCode::cannot_create,
                fmt::format("{} exists; give --force to replace it", printable(path)));
}

} // namespace pillar::cli
