#pragma once
// Formats of independent blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL. A packed group is, for
// each block of each slice, an f16 d a row, an f16 m a row (Q4_1 and Q5_1 alone), then the weights
// of all rows (bits.hpp): exactly as many bytes as in the file.

#include "x86_common/products/dot.hpp"
#include "x86_common/products/packing.hpp"
#include "x86_common/products/product.hpp"

namespace pillar::kernels::x86 {
namespace {

/// a = fma(d · dx, Σ, a), Σ in int32.
inline Floats add_scaled(Floats d, float dx, Ints sum, Floats a) noexcept {
    return fma(times(d, fill(dx)), to_floats(sum), a);
}

/// d · (n − bias) with unsigned n: Σ (n − bias)·q = Σ n·q − bias · Σ q.
template <class FileFormat, class Bits, int bias>
struct BiasedBlock {
    using File = FileFormat;
    using Extra = std::int32_t;
    static constexpr std::size_t bytes = half_bytes + Bits::bytes;
    Floats d;
    Weights w;

    static BiasedBlock load(const std::byte* p) noexcept {
        return {load_halves(p), Bits::unpack(p + half_bytes)};
    }
    static Extra extra(float, std::int32_t sum, const std::int16_t*) noexcept {
        return -bias * sum;
    }
    Floats add(const std::int8_t* x, float dx, Extra minus_bias, Floats a) const noexcept {
        return add_dot(dot<Bits>(w, x, fill_32(minus_bias)), dx, minus_bias, a);
    }
    template <std::size_t n_columns>
    [[gnu::always_inline]] static void dots_of(const BiasedBlock (&blocks)[tile_groups],
                                               const std::int8_t* x, const Extra* minus_bias,
                                               Ints (&sums)[tile_groups][n_columns]) noexcept {
        dots<Bits>(blocks, x, minus_bias, sums);
    }
    Floats add_dot(Ints dot, float dx, Extra, Floats a) const noexcept {
        return add_scaled(d, dx, dot, a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, false, out);
        Bits::pack(weight_bytes(unpack_rows<File>(blocks, 0), bias),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// d · n + m: a second term m · (dx · Σ q).
template <class FileFormat, class Bits>
struct AffineBlock {
    using File = FileFormat;
    using Extra = float;
    static constexpr std::size_t bytes = 2 * half_bytes + Bits::bytes;
    Floats d, m;
    Weights w;

    static AffineBlock load(const std::byte* p) noexcept {
        return {load_halves(p), load_halves(p + half_bytes), Bits::unpack(p + 2 * half_bytes)};
    }
    static Extra extra(float dx, std::int32_t sum, const std::int16_t*) noexcept {
        return dx * static_cast<float>(sum);
    }
    Floats add(const std::int8_t* x, float dx, Extra dx_sum, Floats a) const noexcept {
        return add_dot(dot<Bits>(w, x, fill_32(0)), dx, dx_sum, a);
    }
    template <std::size_t n_columns>
    [[gnu::always_inline]] static void dots_of(const AffineBlock (&blocks)[tile_groups],
                                               const std::int8_t* x, const Extra*,
                                               Ints (&sums)[tile_groups][n_columns]) noexcept {
        dots<Bits>(blocks, x, sums);
    }
    Floats add_dot(Ints dot, float dx, Extra dx_sum, Floats a) const noexcept {
        return fma(m, fill(dx_sum), add_scaled(d, dx, dot, a));
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, true, out);
        Bits::pack(weight_bytes(unpack_rows<File>(blocks, 0), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// The kernel of a format of blocks (product.hpp). For a tile, Block::dots_of(blocks, x, extra,
/// dots) makes the integers of which add_dot makes what `add` does.
template <class Block>
struct BlockKernel {
    static constexpr bool in_tiles = groups_in_tiles;
    using Extra = typename Block::Extra;
    static constexpr std::size_t vectors = 1;
    static Extra extra(const std::int8_t*, float dx, std::int32_t sum,
                       const std::int16_t* half_sum) noexcept {
        return Block::extra(dx, sum, half_sum);
    }

    template <class Columns>
    static const std::byte* run(const std::byte* stream, PanelView<Extra> x, std::size_t,
                                std::size_t n_blocks, Columns columns, Floats* sums) noexcept {
        if constexpr (std::is_same_v<Columns, InTiles>)
            return run_in_tiles(stream, x, n_blocks, columns, sums);
        Floats a[Columns::capacity];
        for_each_column(
            columns, [&](std::size_t c) __attribute__((always_inline)) { a[c] = sums[c]; });
        for (std::size_t b = 0; b < n_blocks; ++b, stream += Block::bytes) {
            prefetch_ahead<Block::bytes>(stream);
            const Block block = Block::load(stream);
            for_each_column(
                columns, [&](std::size_t c) __attribute__((always_inline)) {
                    a[c] = block.add(x.q + c * block_size, x.dx[c], x.extra[c], a[c]);
                });
            x.skip(columns.stride);
        }
        for_each_column(
            columns, [&](std::size_t c) __attribute__((always_inline)) { sums[c] = a[c]; });
        return stream;
    }

  private:
    static const std::byte* run_in_tiles(const std::byte* stream, PanelView<Extra> x,
                                         std::size_t n_blocks, InTiles columns,
                                         Floats* sums) noexcept {
        for (std::size_t b = 0; b < n_blocks; ++b, stream += Block::bytes) {
            Block blocks[tile_groups];
            for (std::size_t g = 0; g < tile_groups; ++g) {
                prefetch_ahead<Block::bytes>(stream + g * columns.group_bytes);
                blocks[g] = Block::load(stream + g * columns.group_bytes);
            }
            for_each_tile(
                columns, [&](auto n_columns, std::size_t first) __attribute__((always_inline)) {
                    keep_in_memory(blocks);
                    Ints dots[tile_groups][n_columns];
                    Block::dots_of(blocks, x.q + first * block_size, x.extra + first, dots);
                    for (std::size_t c = 0; c < n_columns; ++c) {
                        const float dx = x.dx[first + c];
                        const Extra extra_of_column = x.extra[first + c];
                        for (std::size_t g = 0; g < tile_groups; ++g) {
                            Floats& a = sums[g * columns.count + first + c];
                            a = blocks[g].add_dot(dots[g][c], dx, extra_of_column, a);
                        }
                    }
                });
            x.skip(columns.stride);
        }
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
} // namespace pillar::kernels::x86
