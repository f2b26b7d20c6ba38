#pragma once
// Formats with super-blocks of 256: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS. A packed group is, for
// each segment (the blocks of 32 that one slice touches in one super-block),
//   a header: 4 × f16 d, 4 × f16 dmin if the format has one, and what scales the format keeps there
//   for each of the segment's blocks: its scales if they are not in the header, then the weights of
//   4 rows (bits.hpp)
// A whole super-block takes as many bytes as in the file; a cut one repeats the header.
//
// A format is a struct:
//   Dot, File, header_bytes, block_bytes, with_min
//   Extra                                   what is prepared of a block's sums (panel.hpp)
//   Header: scales of 4 rows;               load_header(stream) → Header
//   Block: one block of 32 of 4 rows;       load_block(stream, header, sub) → Block
//   Block::scaled_dot(x)                    Σ scale·dot as f32, exact
//   Block::scaled_min(half_sum, extra)      Σ min·sum as f32, exact; only with_min
//   pack_scales(file blocks, out) → out     the header behind d and dmin
//   pack_block(file blocks, sub, out) → out

#include "format.hpp"
#include "packing.hpp"
#include "product.hpp"
#include "smlal.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t super_block_blocks = 8; ///< blocks of 32 a super-block

/// The kernel of a format of super-blocks (product.hpp).
template <class SuperBlock>
struct SuperBlockKernel {
    using Extra = typename SuperBlock::Extra;
    using View = PanelView<Extra>;

    template <std::size_t C>
    [[gnu::noinline]] static const std::byte* run(const std::byte* stream, const View& panel,
                                                  std::size_t first_block, std::size_t n_blocks,
                                                  Floats* sums) noexcept {
        View x = panel;
        Floats a[C];
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { a[c] = sums[c]; });
        PILLAR_NO_UNROLL
        while (n_blocks > 0) {
            const std::size_t sub = first_block % super_block_blocks;
            const std::size_t n = smaller(super_block_blocks - sub, n_blocks);
            stream = add_segment<C>(stream, x, sub, sub + n, a);
            first_block += n;
            n_blocks -= n;
        }
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { sums[c] = a[c]; });
        return stream;
    }

  private:
    /// u = Σ fma(dx, Σ scale·dot, u) and v likewise over blocks [sub, end) of one super-block, then
    /// a = fma(d, u, a), a = fma(−dmin, v, a).
    template <std::size_t C>
    [[gnu::always_inline]] static const std::byte* add_segment(const std::byte* stream, View& x,
                                                               std::size_t sub, std::size_t end,
                                                               Floats* a) noexcept {
        Floats u[C], v[C];
        unrolled<C>([&](std::size_t c)
                        __attribute__((always_inline)) { u[c] = v[c] = vdupq_n_f32(0.0f); });
        const std::byte* factors = stream;
        prefetch_ahead(stream);
        const auto header = SuperBlock::load_header(stream);
        stream += SuperBlock::header_bytes;
        PILLAR_NO_UNROLL
        for (; sub < end; ++sub, stream += SuperBlock::block_bytes, x = x.from(C)) {
            prefetch_ahead(stream);
            const auto block = SuperBlock::load_block(stream, header, sub);
            unrolled<C>([&](std::size_t c) __attribute__((always_inline)) {
                const float dx = load_scalar(x.dx + c);
                const Activation q = Activation::load(x.q + c * block_size);
                u[c] = vfmaq_n_f32(u[c], block.scaled_dot(q), dx);
                in_order(u[c]);
                if constexpr (SuperBlock::with_min) {
                    const Floats min = block.scaled_min(x.half_sum + 2 * c, x.extra + c);
                    v[c] = vfmaq_n_f32(v[c], min, dx);
                    in_order(v[c]);
                }
            });
        }
        const Floats d = load_halves(factors);
        unrolled<C>([&](std::size_t c)
                        __attribute__((always_inline)) { a[c] = vfmaq_f32(a[c], d, u[c]); });
        if constexpr (SuperBlock::with_min) {
            const Floats dmin = load_halves(factors + 8);
            unrolled<C>([&](std::size_t c)
                            __attribute__((always_inline)) { a[c] = vfmsq_f32(a[c], dmin, v[c]); });
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
} // namespace pillar::kernels::neon
