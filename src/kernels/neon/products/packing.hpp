#pragma once
// Packing a group of rows (common/packing.hpp) for this instruction set: weights in the order in
// which its products take them.

#include "bits.hpp"
#include "common/packing.hpp"
#include "slices.hpp"

namespace pillar::kernels::neon {
namespace {

using FileBlocks = groups::FileBlocks<group_rows>;
using RowBlocks = groups::RowBlocks<group_rows>;
using groups::pack_factors;
using groups::unpack_rows;

/// Weights + bias where the dot product `Dot` wants them, ready for a width of bits.hpp.
template <class Dot, int max>
inline WeightBytes weight_bytes(const RowBlocks& blocks, int bias) noexcept {
    WeightBytes out;
    for (std::size_t r = 0; r < group_rows; ++r)
        for (std::size_t k = 0; k < block_size; ++k)
            out.v[Dot::template vector_of<max>(r, k)][Dot::byte_of(r, k)] =
                static_cast<std::uint8_t>(blocks.row[r].q[k] + bias);
    return out;
}

template <class File, class Segment, class Block>
inline void pack_blocks(const PackView& p, Segment segment, Block block) noexcept {
    groups::pack_blocks<File, group_rows>(p, segment, block);
}

} // namespace
} // namespace pillar::kernels::neon
