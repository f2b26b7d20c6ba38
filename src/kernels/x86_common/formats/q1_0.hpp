#pragma once
// Q1_0, d · ±1. A packed group has 32 rows: for each segment (the blocks of 32 that one slice
// touches in one block of the file) an f16 d a row, then for each of the segment's blocks the bits
// of all rows (bit_planes.hpp). A whole block of the file takes as many bytes as there, a cut one
// repeats the header.
//
// One column of activations: the sums that a few bits choose are looked up (bit_sums.hpp). Several:
// bits become numbers, as in other widths.

#include "blocks.hpp"

#include "x86_common/products/bit_sums.hpp"
#include "x86_common/products/dot.hpp"
#include "x86_common/products/product.hpp"

#include "pillar/quant/formats/low_bit/q1_0.hpp"

namespace pillar::kernels::x86 {
namespace {

struct Q1_0Group {
    static constexpr std::size_t blocks = quant::Q1_0::weights / block_size; ///< that share a d
    static constexpr std::size_t header_bytes = plane_vectors * half_bytes;
    static_assert(header_bytes + blocks * BitPlanes::bytes == plane_rows * quant::Q1_0::bytes,
                  "as many bytes as in the file");

    /// step(header, bits, n) for each segment, of n blocks. Returns the end of the stream.
    template <class Step>
    [[gnu::always_inline]] static const std::byte*
    for_each_segment(const std::byte* stream, std::size_t first_block, std::size_t n_blocks,
                     const Step& step) noexcept {
        std::size_t n = smaller(blocks - first_block % blocks, n_blocks);
        for (; n_blocks > 0; n_blocks -= n, n = smaller(blocks, n_blocks)) {
            step(stream, stream + header_bytes, n);
            stream += header_bytes + n * BitPlanes::bytes;
        }
        return stream;
    }

    static void pack(const PackView& p) noexcept {
        groups::pack_blocks<quant::Q1_0, plane_rows>(
            p,
            [](const groups::FileBlocks<plane_rows>& file, std::byte* out) {
                return groups::pack_factors<quant::Q1_0>(file, false, out);
            },
            [](const groups::FileBlocks<plane_rows>& file, std::size_t sub, std::byte* out) {
                BitPlanes::pack(groups::unpack_rows<quant::Q1_0>(file, sub),
                                reinterpret_cast<std::uint8_t*>(out));
                return out + BitPlanes::bytes;
            });
    }
};

/// The kernel of one column (product.hpp).
struct Q1_0Column {
    static constexpr std::size_t vectors = plane_vectors;
    using Extra = BitSums;
    static Extra extra(const std::int8_t* q, float, std::int32_t sum,
                       const std::int16_t*) noexcept {
        return BitSums::of(q, sum);
    }

    template <class Columns>
    static const std::byte* run(const std::byte* stream, PanelView<Extra> x,
                                std::size_t first_block, std::size_t n_blocks, Columns,
                                Floats* sums) noexcept {
        constexpr std::size_t n = vectors;
        float* const rows = reinterpret_cast<float*>(sums);
        Floats a[n];
        unrolled<n>([&](std::size_t v)
                        __attribute__((always_inline)) { a[v] = load_rows(rows, v); });
        const std::byte* const end = Q1_0Group::for_each_segment(
            stream, first_block, n_blocks,
            [&](const std::byte* header, const std::byte* bits, std::size_t n_bits)
                __attribute__((always_inline)) {
                    Floats d[n];
                    prefetch_far<Q1_0Group::header_bytes>(header);
                    unrolled<n>([&](std::size_t v) __attribute__((always_inline)) {
                        d[v] = load_row_halves(header, v);
                    });
                    for (std::size_t i = 0; i < n_bits; ++i, bits += BitPlanes::bytes) {
                        prefetch_far<BitPlanes::bytes>(bits);
                        Floats dots[n];
                        x.extra[i].dot(bits, dots);
                        const Floats dx = fill(x.dx[i]);
                        unrolled<n>([&](std::size_t v) __attribute__((always_inline)) {
                            a[v] = fma(times(d[v], dx), dots[v], a[v]);
                        });
                    }
                    x.skip(n_bits);
                });
        unrolled<n>([&](std::size_t v)
                        __attribute__((always_inline)) { store_rows(rows, v, a[v]); });
        return end;
    }
};

/// The kernel of any number of columns: the vectors of rows one after another over a segment.
struct Q1_0Columns {
    static constexpr std::size_t vectors = plane_vectors;
    static constexpr bool in_tiles = false;
    using Extra = std::int32_t;
    static Extra extra(const std::int8_t*, float, std::int32_t sum, const std::int16_t*) noexcept {
        return -sum;
    }

    template <class Columns>
    static const std::byte* run(const std::byte* stream, PanelView<Extra> x,
                                std::size_t first_block, std::size_t n_blocks, Columns columns,
                                Floats* sums) noexcept {
        return Q1_0Group::for_each_segment(
            stream, first_block, n_blocks,
            [&](const std::byte* header, const std::byte* bits, std::size_t n) {
                Ints rows[Q1_0Group::blocks][vectors];
                prefetch_ahead<Q1_0Group::header_bytes>(header);
                for (std::size_t i = 0; i < n; ++i, bits += BitPlanes::bytes) {
                    prefetch_ahead<BitPlanes::bytes>(bits);
                    BitPlanes::interleave(bits, rows[i]);
                }
                for (std::size_t v = 0; v < vectors; ++v)
                    add_segment(load_halves(header + v * half_bytes), &rows[0][v], n, x, columns,
                                sums + v);
                x.skip(n * columns.stride);
            });
    }

  private:
    /// One vector of rows: sums has its sum of column c at c · vectors, `rows` its bits of block i
    /// at i · vectors.
    template <class Columns>
    static void add_segment(Floats d, const Ints* rows, std::size_t n, PanelView<Extra> x,
                            Columns columns, Floats* sums) noexcept {
        Floats a[Columns::capacity];
        for_each_column(
            columns, [&](std::size_t c)
                         __attribute__((always_inline)) { a[c] = sums[c * vectors]; });
        for (std::size_t i = 0; i < n; ++i) {
            const Weights w = OneBit::spread(rows[i * vectors]);
            for_each_column(
                columns, [&](std::size_t c) __attribute__((always_inline)) {
                    const Ints sum = dot<OneBit>(w, x.q + c * block_size, fill_32(x.extra[c]));
                    a[c] = add_scaled(d, x.dx[c], sum, a[c]);
                });
            x.skip(columns.stride);
        }
        for_each_column(
            columns, [&](std::size_t c)
                         __attribute__((always_inline)) { sums[c * vectors] = a[c]; });
    }
};

/// Fewer groups than these are not worth their tables.
inline constexpr std::size_t min_table_groups = 4;

inline void multiply_q1_0(const ProductView& p) noexcept {
    if (p.n_columns == 1 && p.group_end - p.group_begin >= min_table_groups)
        multiply_column_with<Q1_0Column>(p);
    else
        multiply_with<Q1_0Columns>(p);
}

constexpr Format format_of_q1_0() noexcept {
    return {.rows = plane_rows,
            .segment_bytes = Q1_0Group::header_bytes,
            .block_bytes = BitPlanes::bytes,
            .column_bytes = 0,
            .pack = Q1_0Group::pack,
            .multiply = multiply_q1_0};
}

} // namespace
} // namespace pillar::kernels::x86
