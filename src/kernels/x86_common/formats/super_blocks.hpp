#pragma once
// Formats with super-blocks of 256: Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS. A packed group is, for
// each segment (the blocks of 32 that one slice touches in one super-block),
//   a header: an f16 d a row, an f16 dmin a row if the format has one, and what scales the format
//   keeps there; for each of the segment's blocks: its scales if they are not in the header, then
//   the weights of all rows (bits.hpp)
// A whole super-block takes as many bytes as in the file; a cut one repeats the header.
//
// A format is a struct:
//   File, header_bytes, block_bytes, with_min
//   Extra, extra(x, sum, half_sum)          what the panel keeps of a block's sums (panel.hpp)
//   Header: scales of all rows;             load_header(stream) → Header
//   Block: weights and scales of one block; load_block(stream, header, sub) → Block
//   Block::scaled_dot(x, extra)             Σ scale·dot as f32, exact
//   Block::dots(blocks, x, extra, dots)     the integers of it, Block::Dot, for a tile (panel.hpp)
//   Block::of_dot(dot, extra)               scaled_dot, made of these
//   Min: its minima, only with_min;         load_min(stream, header, sub) → Min
//   Min::scaled(extra)                      Σ min·sum as f32, exact
//   pack_scales(file blocks, out) → out     the header behind d and dmin
//   pack_block(file blocks, sub, out) → out

#include "x86_common/products/dot.hpp"
#include "x86_common/products/packing.hpp"
#include "x86_common/products/product.hpp"

namespace pillar::kernels::x86 {
namespace {

inline constexpr std::size_t super_block_blocks = 8; ///< blocks of 32 a super-block

/// Blocks [sub, end) of one super-block, from the header on.
struct Segment {
    const std::byte* stream;
    std::size_t sub, end;
};

/// The kernel of a format of super-blocks (product.hpp).
template <class SuperBlock>
struct SuperBlockKernel {
    static constexpr bool in_tiles = groups_in_tiles;
    using Extra = typename SuperBlock::Extra;
    static constexpr std::size_t vectors = 1;
    static Extra extra(const std::int8_t* x, float, std::int32_t sum,
                       const std::int16_t* half_sum) noexcept {
        return SuperBlock::extra(x, sum, half_sum);
    }

    template <class Columns>
    static const std::byte* run(const std::byte* stream, PanelView<Extra> x,
                                std::size_t first_block, std::size_t n_blocks, Columns columns,
                                Floats* sums) noexcept {
        while (n_blocks > 0) {
            const std::size_t sub = first_block % super_block_blocks;
            const std::size_t n = smaller(super_block_blocks - sub, n_blocks);
            add_segment({stream, sub, sub + n}, x, columns, sums);
            stream += SuperBlock::header_bytes + n * SuperBlock::block_bytes;
            x.skip(n * columns.stride);
            first_block += n;
            n_blocks -= n;
        }
        return stream;
    }

  private:
    /// u = Σ fma(dx, Σ scale·dot, u) and v = Σ fma(dx, Σ min·sum, v) over the segment's blocks,
    /// then a = fma(d, u, a), a = fma(−dmin, v, a).
    template <class Columns>
    static void add_segment(const Segment& segment, const PanelView<Extra>& x, Columns columns,
                            Floats* a) noexcept {
        if constexpr (std::is_same_v<Columns, InTiles>)
            return add_segment_of_each(segment, x, columns, a);
        const Floats d = load_halves(segment.stream);
        prefetch_ahead<SuperBlock::header_bytes>(segment.stream);
        if constexpr (!SuperBlock::with_min) {
            add_scaled_dots<Columns, false>(segment, x, columns, d, a);
        } else {
            // A full panel has registers for its u or its v, not for both.
            constexpr bool together = !std::is_same_v<Columns, Full>;
            add_scaled_dots<Columns, together>(segment, x, columns, d, a);
            if constexpr (!together) add_scaled_minima(segment, x, columns, a);
        }
    }

    /// add_segment for a tile's groups.
    static void add_segment_of_each(const Segment& segment, PanelView<Extra> x, InTiles columns,
                                    Floats* a) noexcept {
        Floats u[tile_groups][panel_columns];
        const PanelView<Extra> all_blocks = x;
        typename SuperBlock::Header headers[tile_groups];
        for (std::size_t g = 0; g < tile_groups; ++g) {
            for (std::size_t c = 0; c < columns.count; ++c) u[g][c] = fill(0.0f);
            headers[g] = SuperBlock::load_header(segment.stream + g * columns.group_bytes);
            prefetch_ahead<SuperBlock::header_bytes>(segment.stream + g * columns.group_bytes);
        }
        const std::byte* stream = segment.stream + SuperBlock::header_bytes;
        for (std::size_t sub = segment.sub; sub < segment.end;
             ++sub, stream += SuperBlock::block_bytes) {
            typename SuperBlock::Block blocks[tile_groups];
            for (std::size_t g = 0; g < tile_groups; ++g) {
                const std::byte* const block = stream + g * columns.group_bytes;
                prefetch_ahead<SuperBlock::block_bytes>(block);
                blocks[g] = SuperBlock::load_block(block, headers[g], sub);
            }
            for_each_tile(
                columns, [&](auto n_columns, std::size_t first) __attribute__((always_inline)) {
                    keep_in_memory(blocks);
                    typename SuperBlock::Block::Dot dots[tile_groups][n_columns];
                    SuperBlock::Block::dots(blocks, x.q + first * block_size, x.extra + first,
                                            dots);
                    for (std::size_t c = 0; c < n_columns; ++c) {
                        const Floats dx = fill(x.dx[first + c]);
                        const Extra extra_of_column = x.extra[first + c];
                        for (std::size_t g = 0; g < tile_groups; ++g)
                            u[g][first + c] = fma(dx, blocks[g].of_dot(dots[g][c], extra_of_column),
                                                  u[g][first + c]);
                    }
                });
            x.skip(columns.stride);
        }
        for (std::size_t g = 0; g < tile_groups; ++g) {
            const std::byte* const group = segment.stream + g * columns.group_bytes;
            for (std::size_t c = 0; c < columns.count; ++c) {
                Floats& sum = a[g * columns.count + c];
                sum = fma(load_halves(group), u[g][c], sum);
            }
        }
        if constexpr (SuperBlock::with_min)
            subtract_minima_of_each(segment, headers, all_blocks, columns, a);
    }

    /// The minima of a tile's groups: a column's v are in registers over all blocks.
    [[gnu::always_inline]] static void
    subtract_minima_of_each(const Segment& segment,
                            const typename SuperBlock::Header (&headers)[tile_groups],
                            const PanelView<Extra>& x, InTiles columns, Floats* a) noexcept {
        typename SuperBlock::Min minima[super_block_blocks][tile_groups];
        const std::size_t n = segment.end - segment.sub;
        const std::byte* stream = segment.stream + SuperBlock::header_bytes;
        for (std::size_t b = 0; b < n; ++b, stream += SuperBlock::block_bytes)
            for (std::size_t g = 0; g < tile_groups; ++g)
                minima[b][g] = SuperBlock::load_min(stream + g * columns.group_bytes, headers[g],
                                                    segment.sub + b);
        for (std::size_t c = 0; c < columns.count; ++c) {
            Floats v[tile_groups];
            unrolled<tile_groups>([&](std::size_t g) { v[g] = fill(0.0f); });
            for (std::size_t b = 0; b < n; ++b) {
                const Floats dx = fill(x.dx[b * columns.stride + c]);
                const Extra extra_of_column = x.extra[b * columns.stride + c];
                unrolled<tile_groups>([&](std::size_t g) __attribute__((always_inline)) {
                    v[g] = fma(dx, minima[b][g].scaled(extra_of_column), v[g]);
                });
            }
            for (std::size_t g = 0; g < tile_groups; ++g) {
                const std::byte* const group = segment.stream + g * columns.group_bytes;
                Floats& sum = a[g * columns.count + c];
                sum = fnma(load_halves(group + half_bytes), v[g], sum);
            }
        }
    }

    template <class Columns, bool with_minima>
    [[gnu::always_inline]] static void add_scaled_dots(const Segment& segment, PanelView<Extra> x,
                                                       Columns columns, Floats d,
                                                       Floats* a) noexcept {
        Floats u[Columns::capacity], v[Columns::capacity];
        for_each_column(
            columns, [&](std::size_t c)
                         __attribute__((always_inline)) { u[c] = v[c] = fill(0.0f); });
        const auto header = SuperBlock::load_header(segment.stream);
        const std::byte* stream = segment.stream + SuperBlock::header_bytes;
        for (std::size_t sub = segment.sub; sub < segment.end;
             ++sub, stream += SuperBlock::block_bytes) {
            prefetch_ahead<SuperBlock::block_bytes>(stream);
            const auto block = SuperBlock::load_block(stream, header, sub);
            for_each_column(
                columns, [&](std::size_t c) __attribute__((always_inline)) {
                    u[c] = fma(fill(x.dx[c]), block.scaled_dot(x.q + c * block_size, x.extra[c]),
                               u[c]);
                });
            if constexpr (with_minima) {
                const auto min = SuperBlock::load_min(stream, header, sub);
                for_each_column(
                    columns, [&](std::size_t c) __attribute__((always_inline)) {
                        v[c] = fma(fill(x.dx[c]), min.scaled(x.extra[c]), v[c]);
                    });
            }
            x.skip(columns.stride);
        }
        for_each_column(
            columns, [&](std::size_t c)
                         __attribute__((always_inline)) { a[c] = fma(d, u[c], a[c]); });
        if constexpr (with_minima) subtract_minima(segment, v, columns, a);
    }

    template <class Columns>
    [[gnu::always_inline]] static void add_scaled_minima(const Segment& segment, PanelView<Extra> x,
                                                         Columns columns, Floats* a) noexcept {
        Floats v[Columns::capacity];
        for_each_column(
            columns, [&](std::size_t c) __attribute__((always_inline)) { v[c] = fill(0.0f); });
        const auto header = SuperBlock::load_header(segment.stream);
        const std::byte* stream = segment.stream + SuperBlock::header_bytes;
        for (std::size_t sub = segment.sub; sub < segment.end;
             ++sub, stream += SuperBlock::block_bytes) {
            const auto min = SuperBlock::load_min(stream, header, sub);
            for_each_column(
                columns, [&](std::size_t c) __attribute__((always_inline)) {
                    v[c] = fma(fill(x.dx[c]), min.scaled(x.extra[c]), v[c]);
                });
            x.skip(columns.stride);
        }
        subtract_minima(segment, v, columns, a);
    }

    template <class Columns>
    [[gnu::always_inline]] static void subtract_minima(const Segment& segment, const Floats* v,
                                                       Columns columns, Floats* a) noexcept {
        const Floats dmin = load_halves(segment.stream + half_bytes);
        for_each_column(
            columns, [&](std::size_t c)
                         __attribute__((always_inline)) { a[c] = fnma(dmin, v[c], a[c]); });
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
} // namespace pillar::kernels::x86
