#pragma once
// Formats of independent blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL. A packed group is, for
// each block of each slice,
//   0      4 × f16 d
//   8      4 × f16 m, only Q4_1 and Q5_1
//   8, 16  the weights of 4 rows (bits.hpp)
// which is exactly as many bytes as in the file.

#include "neon/format.hpp"
#include "neon/products/packing.hpp"
#include "neon/products/product.hpp"
#include "neon/products/smlal.hpp"

namespace pillar::kernels::neon {
namespace {

/// a = fma(d · dx, Σ, a), Σ in int32.
template <class Loaded>
inline Floats add_scaled(Floats d, const Loaded& numbers, Ints sum, Floats a) noexcept {
    return vfmaq_f32(a, numbers.times(d), vcvtq_f32_s32(sum));
}

/// d · n with signed n.
template <class TheDot, class FileFormat, class Bits>
struct SignedBlock {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = Scale;
    static constexpr std::size_t bytes = 8 + Bits::bytes;
    Floats d;
    Weights w;

    [[gnu::always_inline]] static SignedBlock load(const std::byte* p) noexcept {
        return {load_halves(p), Bits::unpack(p + 8)};
    }
    [[gnu::always_inline]] Floats add(const Activation& x, const Numbers& of_block,
                                      Floats a) const noexcept {
        return add_scaled(d, of_block.load(), Dot::template dot<Bits::max>(w, x), a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, false, out);
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, 0), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// d · (n − bias) with unsigned n: Σ (n − bias)·q = Σ n·q − bias · Σ q.
template <class TheDot, class FileFormat, class Bits, int bias>
struct BiasedBlock {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = ScaleAndStart<bias>;
    static constexpr std::size_t bytes = 8 + Bits::bytes;
    Floats d;
    Weights w;

    [[gnu::always_inline]] static BiasedBlock load(const std::byte* p) noexcept {
        return {load_halves(p), Bits::unpack(p + 8)};
    }
    [[gnu::always_inline]] Floats add(const Activation& x, const Numbers& of_block,
                                      Floats a) const noexcept {
        const auto numbers = of_block.load();
        return add_scaled(d, numbers, Dot::template dot<Bits::max>(w, x, numbers.start), a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, false, out);
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, 0), bias),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// d · n + m with unsigned n: a second term m · (dx · Σ q).
template <class TheDot, class FileFormat, class Bits>
struct AffineBlock {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = ScaleAndScaledSum;
    static constexpr std::size_t bytes = 16 + Bits::bytes;
    Floats d, m;
    Weights w;

    [[gnu::always_inline]] static AffineBlock load(const std::byte* p) noexcept {
        return {load_halves(p), load_halves(p + 8), Bits::unpack(p + 16)};
    }
    [[gnu::always_inline]] Floats add(const Activation& x, const Numbers& of_block,
                                      Floats a) const noexcept {
        const auto numbers = of_block.load();
        a = add_scaled(d, numbers, Dot::template dot<Bits::max>(w, x), a);
        return numbers.add_times_sum(m, a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, true, out);
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, 0), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// The kernel of a format of blocks (product.hpp).
template <class Block>
struct BlockKernel {
    using Numbers = typename Block::Numbers;

    template <std::size_t C>
    [[gnu::noinline]] static const std::byte* run(const std::byte* stream,
                                                  const PanelView<Numbers>& panel, std::size_t,
                                                  std::size_t n_blocks, Floats* sums) noexcept {
        PanelView<Numbers> x = panel;
        Floats a[C];
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { a[c] = sums[c]; });
#pragma GCC unroll 1
        for (std::size_t b = 0; b < n_blocks; ++b, stream += Block::bytes, x = x.from(C)) {
            prefetch_ahead(stream);
            const Block block = Block::load(stream);
            unrolled<C>([&](std::size_t c) __attribute__((always_inline)) {
                a[c] = block.add(Activation::load(x.q + c * block_size), x.numbers[c], a[c]);
                in_order(a[c]);
            });
        }
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { sums[c] = a[c]; });
        return stream;
    }
};

template <class Block>
void pack_group_of_blocks(const PackView& p) noexcept {
    pack_blocks<typename Block::File>(
        p, [](const FileBlocks&, std::byte* out) { return out; },
        [](const FileBlocks& blocks, std::size_t, std::byte* out) {
            return Block::pack(blocks, out);
        });
}

template <class Block>
constexpr Format format_of_blocks() noexcept {
    static_assert(Block::bytes == group_rows * Block::File::bytes, "as many bytes as in the file");
    return {.rows = group_rows,
            .segment_bytes = 0,
            .block_bytes = Block::bytes,
            .column_bytes = 0,
            .pack = pack_group_of_blocks<Block>,
            .multiply = multiply_with<BlockKernel<Block>>};
}

} // namespace
} // namespace pillar::kernels::neon
