#pragma once
// Packing a group of rows (common/packing.hpp) for this instruction set: weights in the order in
// which its products take them.

#include "bits.hpp"
#include "common/packing.hpp"
#include "slices.hpp"

namespace pillar::kernels::x86 {
namespace {

using FileBlocks = groups::FileBlocks<group_rows>;
using RowBlocks = groups::RowBlocks<group_rows>;
using groups::pack_factors;
using groups::unpack_rows;

/// Weights + bias in the order of Weights, ready for a width of bits.hpp.
inline WeightBytes weight_bytes(const RowBlocks& blocks, int bias) noexcept {
    WeightBytes out;
    for (std::size_t j = 0; j < 8; ++j)
        for (std::size_t r = 0; r < group_rows; ++r)
            for (std::size_t k = 0; k < 4; ++k)
                out.v[j][4 * r + k] = static_cast<std::uint8_t>(blocks.row[r].q[4 * j + k] + bias);
    return out;
}

template <class File, class Segment, class Block>
inline void pack_blocks(const PackView& p, Segment segment, Block block) noexcept {
    groups::pack_blocks<File, group_rows>(p, segment, block);
}

} // namespace
} // namespace pillar::kernels::x86
