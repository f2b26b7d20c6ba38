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
//   Numbers                                 what it takes of a block besides integers (panel.hpp)
//   load_header(stream) → Header            scales of 4 rows
//   load_block<C>(stream, header, sub) → B  one block of 32 of 4 rows, for C columns
//   B::scaled_dot(x)                        Σ scale·dot as f32, exact
//   B::scaled_min(numbers)                  Σ min·sum as f32, exact; only with_min
//   pack_scales(file blocks, out) → out     the header behind d and dmin
//   pack_block(file blocks, sub, out) → out

#include "neon/format.hpp"
#include "neon/products/packing.hpp"
#include "neon/products/product.hpp"
#include "neon/products/smlal.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t super_block_blocks = 8; ///< blocks of 32 a super-block

/// The kernel of a format of super-blocks (product.hpp).
template <class SuperBlock>
struct SuperBlockKernel {
    using Numbers = typename SuperBlock::Numbers;
    using View = PanelView<Numbers>;

    /// The rest of a super-block that an earlier slice began, whole ones, and the beginning of one.
    template <std::size_t C>
    static const std::byte* run(const std::byte* stream, View x, std::size_t first_block,
                                std::size_t n_blocks, Floats* sums) noexcept {
        const std::size_t sub = first_block % super_block_blocks;
        if (sub != 0 && n_blocks > 0) {
            const std::size_t n = smaller(super_block_blocks - sub, n_blocks);
            stream = run_part<C>(stream, x, sub, n, sums);
            x = x.from(n * C);
            n_blocks -= n;
        }
        const std::size_t n_whole = n_blocks / super_block_blocks;
        stream = run_whole<C>(stream, x, n_whole, sums);
        const std::size_t n_left = n_blocks % super_block_blocks;
        if (n_left != 0)
            stream = run_part<C>(stream, x.from(n_whole * super_block_blocks * C), 0, n_left, sums);
        return stream;
    }

  private:
    /// What blocks of one super-block add to C columns.
    template <std::size_t C>
    struct Sums {
        Floats u[C]; ///< u = Σ fma(dx, Σ scale·dot, u)
        Floats v[C]; ///< v = Σ fma(dx, Σ min·sum, v)

        [[gnu::always_inline]] Sums() noexcept {
            unrolled<C>([&](std::size_t c)
                            __attribute__((always_inline)) { u[c] = v[c] = vdupq_n_f32(0.0f); });
        }
        template <class Block>
        [[gnu::always_inline]] void add(const Block& block, const View& x) noexcept {
            unrolled<C>([&](std::size_t c) __attribute__((always_inline)) {
                const Activation q = Activation::load(x.q + c * block_size);
                const auto numbers = x.numbers[c].load();
                u[c] = numbers.add_times(block.scaled_dot(q), u[c]);
                in_order(u[c]);
                if constexpr (SuperBlock::with_min) {
                    v[c] = numbers.add_times(block.scaled_min(numbers), v[c]);
                    in_order(v[c]);
                }
            });
        }
        /// a = fma(d, u, a), then a = fma(−dmin, v, a).
        [[gnu::always_inline]] void end(const std::byte* factors, Floats* a) const noexcept {
            const Floats d = load_halves(factors);
            unrolled<C>([&](std::size_t c)
                            __attribute__((always_inline)) { a[c] = vfmaq_f32(a[c], d, u[c]); });
            if constexpr (SuperBlock::with_min) {
                const Floats dmin = load_halves(factors + 8);
                unrolled<C>([&](std::size_t c) __attribute__((always_inline)) {
                    a[c] = vfmsq_f32(a[c], dmin, v[c]);
                });
            }
        }
    };

    /// n whole super-blocks.
    template <std::size_t C>
    [[gnu::noinline]] static const std::byte* run_whole(const std::byte* stream, View x,
                                                        std::size_t n, Floats* sums) noexcept {
        Floats a[C];
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { a[c] = sums[c]; });
#pragma GCC unroll 1
        for (; n > 0; --n) {
            const std::byte* factors = stream;
            const auto header = SuperBlock::load_header(stream);
            stream += SuperBlock::header_bytes;
            Sums<C> of_blocks;
#pragma GCC unroll 1
            for (std::size_t sub = 0; sub < super_block_blocks; sub += blocks_a_step<C>) {
                count_from(stream);
                unrolled<blocks_a_step<C>>([&](std::size_t i) __attribute__((always_inline)) {
                    const std::byte* at = stream + i * SuperBlock::block_bytes;
                    prefetch_ahead(at);
                    of_blocks.add(SuperBlock::template load_block<C>(at, header, sub, i),
                                  x.from(i * C));
                });
                stream += blocks_a_step<C> * SuperBlock::block_bytes;
                x = x.from(blocks_a_step<C> * C);
            }
            of_blocks.end(factors, a);
        }
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { sums[c] = a[c]; });
        return stream;
    }

    /// Blocks [sub, sub + n) of one super-block.
    template <std::size_t C>
    [[gnu::noinline]] static const std::byte* run_part(const std::byte* stream, View x,
                                                       std::size_t sub, std::size_t n,
                                                       Floats* sums) noexcept {
        const std::byte* factors = stream;
        const auto header = SuperBlock::load_header(stream);
        stream += SuperBlock::header_bytes;
        Sums<C> of_blocks;
#pragma GCC unroll 1
        for (const std::size_t end = sub + n; sub < end; ++sub) {
            of_blocks.add(SuperBlock::template load_block<C>(stream, header, sub / 2 * 2, sub % 2),
                          x);
            stream += SuperBlock::block_bytes;
            x = x.from(C);
        }
        of_blocks.end(factors, sums);
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
