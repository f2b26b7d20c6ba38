#pragma once
// The tree over a row's slices (common/slices.hpp) in this instruction set's vectors.

#include "common/slices.hpp"
#include "neon/simd.hpp"

namespace pillar::kernels::neon {
namespace {

using groups::count_blocks;
using groups::count_read_blocks;
using groups::first_block;

struct SliceLanes {
    using Floats = neon::Floats;
    static Floats zero() noexcept { return vdupq_n_f32(0.0f); }
    static Floats plus(Floats a, Floats b) noexcept { return vaddq_f32(a, b); }
};
template <std::size_t capacity>
using SliceTree = groups::SliceTree<SliceLanes, capacity>;

} // namespace
} // namespace pillar::kernels::neon
