#pragma once
// The tree over a row's slices (common/slices.hpp) in this instruction set's vectors.

#include "common/slices.hpp"
#include "x86_common/simd.hpp"

namespace pillar::kernels::x86 {
namespace {

using groups::count_blocks;
using groups::count_read_blocks;
using groups::first_block;

struct SliceLanes {
    using Floats = x86::Floats;
    static Floats zero() noexcept { return fill(0.0f); }
    static Floats plus(Floats a, Floats b) noexcept { return x86::plus(a, b); }
};
template <std::size_t capacity>
using SliceTree = groups::SliceTree<SliceLanes, capacity>;

} // namespace
} // namespace pillar::kernels::x86
