#pragma once
// Packing a group of rows from the file's bytes, for every instruction set: the walk over slices,
// super-blocks and blocks. Formats say only how one header and one block are written.

#include "slices.hpp"

#include "pillar/core/half.hpp"
#include "pillar/quant/format.hpp"

#include <cstring>

namespace pillar::kernels::groups {
namespace {

/// The same file block of all rows. Rows that the matrix does not have are zero.
template <std::size_t n_rows>
struct FileBlocks {
    const std::byte* row[n_rows]; ///< nullptr: no such row
};

/// One block of 32 of all rows as integers.
template <std::size_t n_rows>
struct RowBlocks {
    quant::SubBlock row[n_rows];
};

template <class File, std::size_t n_rows>
inline RowBlocks<n_rows> unpack_rows(const FileBlocks<n_rows>& blocks, std::size_t sub) noexcept {
    RowBlocks<n_rows> out{};
    for (std::size_t r = 0; r < n_rows; ++r)
        if (blocks.row[r] != nullptr) File::unpack(blocks.row[r], sub, out.row[r]);
    return out;
}

/// An f16 d a row, and an f16 m a row behind them if the format has one. Returns the end.
template <class File, std::size_t n_rows>
inline std::byte* pack_factors(const FileBlocks<n_rows>& blocks, bool with_m,
                               std::byte* out) noexcept {
    std::uint16_t d[n_rows] = {}, m[n_rows] = {};
    for (std::size_t r = 0; r < n_rows; ++r) {
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
template <class File, std::size_t n_rows, class Segment, class Block>
inline void pack_blocks(const PackView& p, Segment segment, Block block) noexcept {
    constexpr std::size_t subs = File::weights / block_size;
    std::byte* out = p.group;
    for (std::size_t s = 0; s < p.n_slices; ++s) {
        const std::size_t first = first_block(p.slices[s]);
        const std::size_t end = first + count_blocks(p.slices[s]);
        for (std::size_t b = first; b < end; ++b) {
            FileBlocks<n_rows> blocks;
            const std::size_t at = (b / subs - p.first_file_block) * File::bytes;
            for (std::size_t r = 0; r < n_rows; ++r)
                blocks.row[r] = p.rows[r] == nullptr ? nullptr : p.rows[r] + at;
            if (b == first || b % subs == 0) out = segment(blocks, out);
            out = block(blocks, b % subs, out);
        }
    }
}

} // namespace
} // namespace pillar::kernels::groups
