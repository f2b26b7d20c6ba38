#pragma once
// Packing a group of 4 rows from the file's bytes: the walk over slices, super-blocks and blocks.
// Formats say only how one header and one block are written.

#include "bits.hpp"
#include "slices.hpp"

#include "pillar/core/half.hpp"
#include "pillar/quant/format.hpp"

namespace pillar::kernels::neon {
namespace {

/// The same file block of 4 rows. Rows that the matrix does not have are zero.
struct FileBlocks {
    const std::byte* row[group_rows]; ///< nullptr: no such row
};

/// One block of 32 of 4 rows as integers.
struct RowBlocks {
    quant::SubBlock row[group_rows];
};

template <class File>
inline RowBlocks unpack_rows(const FileBlocks& blocks, std::size_t sub) noexcept {
    RowBlocks out{};
    for (std::size_t r = 0; r < group_rows; ++r)
        if (blocks.row[r] != nullptr) File::unpack(blocks.row[r], sub, out.row[r]);
    return out;
}

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

/// 4 × f16 d, and 4 × f16 m behind it if the format has one. Returns the end.
template <class File>
inline std::byte* pack_factors(const FileBlocks& blocks, bool with_m, std::byte* out) noexcept {
    std::uint16_t d[group_rows] = {}, m[group_rows] = {};
    for (std::size_t r = 0; r < group_rows; ++r) {
        if (blocks.row[r] == nullptr) continue;
        const quant::Factors factors = File::factors(blocks.row[r]);
        d[r] = f32_to_f16(factors.d);
        m[r] = f32_to_f16(factors.m);
    }
    std::memcpy(out, d, sizeof d);
    if (!with_m) return out + sizeof d;
    std::memcpy(out + sizeof d, m, sizeof m);
    return out + sizeof d + sizeof m;
}

/// Calls segment(blocks, out) → out where a slice enters a file block, then block(blocks, sub, out)
/// → out for each block of 32 that the slice touches.
template <class File, class Segment, class Block>
inline void pack_blocks(const PackView& p, Segment segment, Block block) noexcept {
    constexpr std::size_t subs = File::weights / block_size;
    std::byte* out = p.group;
    for (std::size_t s = 0; s < p.n_slices; ++s) {
        const std::size_t first = first_block(p.slices[s]);
        const std::size_t end = first + count_blocks(p.slices[s]);
        for (std::size_t b = first; b < end; ++b) {
            FileBlocks blocks;
            const std::size_t at = (b / subs - p.first_file_block) * File::bytes;
            for (std::size_t r = 0; r < group_rows; ++r)
                blocks.row[r] = p.rows[r] == nullptr ? nullptr : p.rows[r] + at;
            if (b == first || b % subs == 0) out = segment(blocks, out);
            out = block(blocks, b % subs, out);
        }
    }
}

} // namespace
} // namespace pillar::kernels::neon
