#pragma once
// The model that flags name, before it is loaded; and the files that are read with it.

#include "options.hpp"

#include "pillar/gguf/file.hpp"
#include "pillar/model/hyperparameters.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pillar::cli {

/// The file at `path`, or the model that `synthetic` ("llama-3.2-1b:q4_0") names instead. Throws
/// what gguf::File and model::parse_synthetic_name throw.
gguf::File open_model_file(const std::string& path, const std::string& synthetic);

/// Positions a sequence may have: what --ctx-size asks for; 0: min(the model's, 4096).
std::size_t context_of(const model::Hyperparameters& h, std::size_t asked) noexcept;

/// What a command with these flags reads, so that it is not written over. Some need not exist.
std::vector<std::string> files_read(const ModelOptions& model, const PromptOptions& prompt);

} // namespace pillar::cli
