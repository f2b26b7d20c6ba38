#pragma once
// The model that flags name, before it is loaded; and the files that are read with it.

#include "pillar/gguf/file.hpp"
#include "pillar/model/hyperparameters.hpp"
#include "pillar/session/options.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pillar::session {

/// The file, or the synthetic model that is named instead. Throws what gguf::File throws.
gguf::File open_model_file(const ModelOptions& options);

/// Positions a sequence may have: what --ctx-size asks for; 0: min(the model's, 4096).
std::size_t context_of(const model::Hyperparameters& h, std::size_t asked) noexcept;

/// What a command with these options reads, so that it is not written over: `others` too. Some need
/// not exist.
std::vector<std::string> files_read(const ModelOptions& model, std::vector<std::string> others);

} // namespace pillar::session
