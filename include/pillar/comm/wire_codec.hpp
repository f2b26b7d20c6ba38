#pragma once
// What travels instead of 32-bit floats with --wire f16 and q8. Exactly defined, the same bits on
// every processor; plain loops that compilers vectorise.
//
// f16: IEEE binary16, rounded half to even; beyond 65504 infinite.
//
// q8: blocks of 32 values, the last may be short. Of each block the value with the largest
// magnitude (the first of equals) is kept apart as it is, since partial sums have outliers that
// would leave a plain 8-bit block no resolution for the others ("spike reserving": Flash
// Communication V2, arXiv 2508.03760). A block of k values is k + 6 bytes:
//
//   u16  scale     bfloat16: the second largest magnitude / 127, rounded up; below 2^-126: 0
//   f32  largest   the value kept apart
//   i8   q[k]      round-half-even(value · (1 / scale)) within ±127; −128 marks the largest's place
//
// A value is scale · q. A second value that is not finite makes scale NaN and the block with it, so
// that it stays visible.

#include "pillar/comm/algorithms.hpp"

#include <cstddef>
#include <span>

namespace pillar::comm {

/// Write `values` as wire_bytes(wire, values.size()) bytes. f32: as they are.
void encode(Wire wire, std::span<const float> values, std::byte* bytes) noexcept;

/// Read values [begin, begin + values.size()) of an encoded vector. `begin` is a multiple of 32;
/// the vector ends with `values` or these are whole blocks.
void decode(Wire wire, const std::byte* bytes, std::size_t begin, std::span<float> values) noexcept;

} // namespace pillar::comm
