#pragma once
// Vocabularies for tests: those of real models (golden data, absent for most users) and small ones
// made in memory.

#include "pillar/gguf/value.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::tokenizer::test {

/// Metadata of a GGUF file with nothing but a vocabulary; nothing when there is no such file.
std::optional<gguf::Metadata> read_metadata(const std::string& path);

/// Golden vocabulary by its name ("gpt-2"), nothing when absent.
std::optional<gguf::Metadata> golden(std::string_view name);

/// The vocabulary of our own in tests/data/tokenizers/small_vocabularies.json: "small-bpe" (with
/// the pre-tokenizer of this name) or "small-spm".
gguf::Metadata small(std::string_view name, std::string_view pre = "smollm");

/// Any of the above, or "smollm2", the demo model, or "gemma-3-270m"; nothing when its file is not
/// here. With `pre` not empty, this pre-tokenizer instead of the file's.
std::optional<gguf::Metadata> find(std::string_view name, std::string_view pre = {});

/// A copy with one value replaced or added.
gguf::Metadata with(const gguf::Metadata& metadata, std::string_view key, gguf::Value value);
/// A copy without one key.
gguf::Metadata without(const gguf::Metadata& metadata, std::string_view key);

gguf::Value text(std::string value);
gguf::Value number(std::uint32_t value);
gguf::Value boolean(bool value);
gguf::Value texts(std::vector<std::string> values);
gguf::Value floats(std::vector<float> values);
gguf::Value integers(std::vector<std::int32_t> values);

/// The text of a whole file, or nothing.
std::optional<std::string> read_file(const std::string& path);

} // namespace pillar::tokenizer::test
