#pragma once
// The key-value section of a GGUF file.

#include "cursor.hpp"

#include "pillar/gguf/value.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pillar::gguf {

/// Least bytes of a key-value pair: length and one byte of key, type, one byte of value.
inline constexpr std::uint64_t min_pair_bytes = 8 + 1 + 4 + 1;
/// Arrays of arrays deeper than this are refused.
inline constexpr std::size_t max_array_depth = 8;

/// Read `n_pairs` pairs into `metadata`; what is odd but harmless is added to `warnings`. Throws
/// FormatError.
void read_metadata(Cursor& cursor, std::uint64_t n_pairs, Metadata& metadata,
                   std::vector<std::string>& warnings);

} // namespace pillar::gguf
