#pragma once
// What is compiled once for each instruction set that src/quantize has a folder of. All give the
// same bits; the best one that this CPU runs is taken.

#include "pillar/quant/type.hpp"

#include <cstddef>

namespace pillar::quantize {

/// Encode n finite weights of a row, n a multiple of the type's block size. `importance`: of the n
/// columns, positive, about 1; nullptr: not known.
using EncodeRow = void (*)(const float* x, const float* importance, std::size_t n, std::byte* out);

struct Family {
    EncodeRow (*encoder)(quant::Type type); ///< nullptr where there is none for a type
    void (*read_f16)(const std::byte* row, std::size_t n, float* x);
    void (*read_bf16)(const std::byte* row, std::size_t n, float* x);
    /// How many of the n are no numbers or larger than `limit` in magnitude.
    std::size_t (*n_beyond)(const float* x, std::size_t n, float limit);
};

extern const Family baseline_family;
extern const Family avx2_family; ///< where PILLAR_HAVE_AVX2

const Family& best_family() noexcept;

} // namespace pillar::quantize
