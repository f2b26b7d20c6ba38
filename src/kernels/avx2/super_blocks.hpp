#pragma once
// Formats with super-blocks of 256: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS. A packed group is, for
// each segment (the blocks of 32 that one slice touches in one super-block),
//   a header: 8 × f16 d, 8 × f16 dmin if the format has one, and what scales the format keeps there
//   for each of the segment's blocks: its scales if they are not in the header, then the weights of
//   8 rows (bits.hpp)
// A whole super-block takes as many bytes as in the file; a cut one repeats the header.
//
// A format is a struct:
//   File, header_bytes, block_bytes, with_min
//   extra(dx, sum, half_sum)                what the panel keeps of a block's sums (panel.hpp)
//   Header: scales of 8 rows;               load_header(stream) → Header
//   Block: one block of 32 of 8 rows;       load_block(stream, header, sub) → Block
//   Block::scaled_dot(x, extra)             Σ scale·dot as f32, exact
//   Block::scaled_min(extra)                Σ min·sum as f32, exact; only with_min
//   pack_scales(file blocks, out) → out     the header behind d and dmin
//   pack_block(file blocks, sub, out) → out

#include "dot.hpp"
#include "format.hpp"
#include "packing.hpp"
#include "product.hpp"

namespace pillar::kernels::avx2 {
namespace {

inline constexpr std::size_t super_block_blocks = 8; ///< blocks of 32 a super-block

/// The kernel of a format of super-blocks (product.hpp).
template <class SuperBlock>
struct SuperBlockKernel {
    static std::int32_t extra(float dx, std::int32_t sum, const std::int16_t* half_sum) noexcept {
        return SuperBlock::extra(dx, sum, half_sum);
    }

    template <class Columns>
    static const std::byte* run(const std::byte* stream, PanelView x, std::size_t first_block,
                                std::size_t n_blocks, Columns columns, Floats* sums) noexcept {
        Floats a[Columns::capacity];
        for (std::size_t c = 0; c < columns.count; ++c) a[c] = sums[c];
        while (n_blocks > 0) {
            const std::size_t sub = first_block % super_block_blocks;
            const std::size_t n = smaller(super_block_blocks - sub, n_blocks);
            stream = add_segment(stream, x, sub, n, columns, a);
            first_block += n;
            n_blocks -= n;
        }
        for (std::size_t c = 0; c < columns.count; ++c) sums[c] = a[c];
        return stream;
    }

  private:
    /// u = Σ fma(dx, Σ scale·dot, u) and v likewise over blocks [sub, sub + n) of one super-block,
    /// then a = fma(d, u, a), a = fma(−dmin, v, a).
    template <class Columns>
    static const std::byte* add_segment(const std::byte* stream, PanelView& x, std::size_t sub,
                                        std::size_t n, Columns columns, Floats* a) noexcept {
        Floats u[Columns::capacity], v[Columns::capacity];
        for (std::size_t c = 0; c < columns.count; ++c) u[c] = v[c] = _mm256_setzero_ps();
        const std::byte* factors = stream;
        prefetch_ahead<SuperBlock::header_bytes>(stream);
        const auto header = SuperBlock::load_header(stream);
        stream += SuperBlock::header_bytes;
        for (const std::size_t end = sub + n; sub < end; ++sub, stream += SuperBlock::block_bytes) {
            prefetch_ahead<SuperBlock::block_bytes>(stream);
            const auto block = SuperBlock::load_block(stream, header, sub);
            for (std::size_t c = 0; c < columns.count; ++c, x.q += block_size) {
                const Floats dx = _mm256_set1_ps(*x.dx++);
                const std::int32_t extra = *x.extra++;
                u[c] = _mm256_fmadd_ps(dx, block.scaled_dot(x.q, extra), u[c]);
                if constexpr (SuperBlock::with_min)
                    v[c] = _mm256_fmadd_ps(dx, block.scaled_min(extra), v[c]);
            }
        }
        const Floats d = load_halves(factors);
        for (std::size_t c = 0; c < columns.count; ++c) a[c] = _mm256_fmadd_ps(d, u[c], a[c]);
        if constexpr (SuperBlock::with_min) {
            const Floats dmin = load_halves(factors + 16);
            for (std::size_t c = 0; c < columns.count; ++c)
                a[c] = _mm256_fnmadd_ps(dmin, v[c], a[c]);
        }
        return stream;
    }
};

template <class SuperBlock>
void pack_group_of_super_blocks(const PackView& p) noexcept {
    pack_blocks<typename SuperBlock::File>(
        p,
        [](const FileBlocks& blocks, std::byte* out) {
            out = pack_factors<typename SuperBlock::File>(blocks, SuperBlock::with_min, out);
            return SuperBlock::pack_scales(blocks, out);
        },
        [](const FileBlocks& blocks, std::size_t sub, std::byte* out) {
            return SuperBlock::pack_block(blocks, sub, out);
        });
}

template <class SuperBlock>
constexpr Format format_of_super_blocks() noexcept {
    static_assert(SuperBlock::header_bytes + super_block_blocks * SuperBlock::block_bytes ==
                      group_rows * SuperBlock::File::bytes,
                  "as many bytes as in the file");
    return {.rows = group_rows,
            .segment_bytes = SuperBlock::header_bytes,
            .block_bytes = SuperBlock::block_bytes,
            .column_bytes = 0,
            .pack = pack_group_of_super_blocks<SuperBlock>,
            .multiply = multiply_with<SuperBlockKernel<SuperBlock>>};
}

} // namespace
} // namespace pillar::kernels::avx2
