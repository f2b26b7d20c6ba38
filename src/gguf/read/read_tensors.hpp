#pragma once
// The tensor directory of a GGUF file: names, shapes, types, and where the data lie.

#include "cursor.hpp"

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pillar::gguf {

/// Least bytes of a directory entry: length of name, dimension count, type, offset.
inline constexpr std::uint64_t min_tensor_bytes = 8 + 4 + 4 + 8;

/// Read `n_tensors` entries. Offsets stay relative to the data section, whose place is not known
/// before all are read.
std::vector<TensorInfo> read_tensors(Cursor& cursor, std::uint64_t n_tensors,
                                     std::vector<std::uint64_t>& positions);

/// Make offsets absolute and hold every extent against alignment, the file's end and the other
/// tensors. `positions[i]` is the byte at which entry i begins, for errors. Throws FormatError.
void place_tensors(const Cursor& cursor, std::vector<std::uint64_t> const& positions,
                   Directory& directory);

} // namespace pillar::gguf
