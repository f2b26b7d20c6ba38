#pragma once
// All encoders, compiled once for each instruction set that src/quantize has a folder of. They give
// the same bits; the best one that this CPU runs is taken.

#include "pillar/quant/type.hpp"

#include <cstddef>

namespace pillar::quantize {

/// Encode n finite weights of a row, n a multiple of the type's block size. `importance`: of the n
/// columns, positive, about 1; nullptr: not known.
using EncodeRow = void (*)(const float* x, const float* importance, std::size_t n, std::byte* out);

/// nullptr: no encoder for this type.
EncodeRow baseline_encoder(quant::Type type) noexcept;
EncodeRow avx2_encoder(quant::Type type) noexcept; ///< where PILLAR_HAVE_AVX2

} // namespace pillar::quantize
