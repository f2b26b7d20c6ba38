#pragma once
// Parsing a header of which perhaps only the first bytes are at hand.

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

namespace pillar::gguf {

/// As parse(), but when `bytes` end before the data section and the file goes on, says how many are
/// needed at least.
std::variant<Directory, std::uint64_t> parse_beginning(std::span<const std::byte> bytes,
                                                       std::uint64_t file_bytes,
                                                       const std::string& name);

} // namespace pillar::gguf
