// Products of block formats with int8 activations: exact integers inside a block, then the fixed
// sequence of fused multiply-adds over the blocks of a slice.

#include "clones.hpp"
#include "operators.hpp"
#include "slices.hpp"

#include "pillar/quant/formats.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::kernels::reference {

namespace {

using quant::Rule;

constexpr std::size_t tile_columns = 8; ///< activation columns that share unpacked blocks
constexpr std::size_t strip_blocks = 8; ///< blocks of a row unpacked at a time: one super-block

/// The sums of one row and one slice with up to tile_columns columns.
struct RowSums {
    float sum[tile_columns];
    void add(const RowSums& right) noexcept {
        for (std::size_t c = 0; c < tile_columns; ++c) sum[c] += right.sum[c];
    }
};

/// Columns [column, column + n_columns) of the activations, seen by one slice.
struct Panel {
    const Activations& x;
    std::size_t column;
    std::size_t n_columns; ///< ≤ tile_columns
    std::size_t slice;
    /// Index of the slice's block `b` in the arrays of blocks, for column c of the panel.
    [[nodiscard]] std::size_t at(std::size_t c, std::size_t b) const noexcept {
        return x.block_at(column + c, x.layout.block_begin[slice] + b);
    }
};

/// 32 weight integers, each times its sub-block's scale where the format has one (|w| ≤ 4096), so
/// that one exact sum gives dot or Σ scale·dot; and the minima.
struct Terms {
    std::int16_t w[block_size];
    std::int32_t min[2];
};

template <class Format>
[[gnu::always_inline]] inline void unpack(const std::byte* block, std::size_t sub,
                                          Terms& out) noexcept {
    quant::SubBlock integers;
    Format::unpack(block, sub, integers);
    if constexpr (Format::rule < Rule::sub_scaled) {
        for (std::size_t k = 0; k < block_size; ++k) out.w[k] = integers.q[k];
    } else {
        const auto first = static_cast<std::int16_t>(integers.scale[0]);
        const auto second = static_cast<std::int16_t>(integers.scale[1]);
        for (std::size_t k = 0; k < block_size; ++k)
            out.w[k] = static_cast<std::int16_t>((k < 16 ? first : second) * integers.q[k]);
    }
    if constexpr (Format::rule == Rule::sub_affine) std::copy_n(integers.min, 2, out.min);
}

[[gnu::always_inline]] inline float exact_dot(const Terms& terms, const std::int8_t* q) noexcept {
    int sum = 0;
    for (std::size_t k = 0; k < block_size; ++k)
        sum += static_cast<int>(terms.w[k]) * static_cast<int>(static_cast<std::int16_t>(q[k]));
    return static_cast<float>(sum);
}

[[gnu::always_inline]] inline float exact_min_sum(const Terms& terms,
                                                  const std::int16_t* half_sum) noexcept {
    return static_cast<float>(terms.min[0] * half_sum[0] + terms.min[1] * half_sum[1]);
}

/// Formats with one scale a block of the file: each 32 of its weights add their terms to a. The
/// slice begins at sub-block `first_sub` of the block at `row`.
template <class Format>
[[gnu::always_inline]] inline void sum_blocks(const std::byte* row, std::size_t first_sub,
                                              const Panel& panel, std::size_t n_blocks,
                                              RowSums& a) noexcept {
    constexpr std::size_t subs = Format::weights / block_size;
    const Activations& x = panel.x;
    Terms terms[strip_blocks];
    quant::Factors factors[strip_blocks];
    for (std::size_t begin = 0; begin < n_blocks; begin += strip_blocks) {
        const std::size_t n = std::min(strip_blocks, n_blocks - begin);
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t at = first_sub + begin + i;
            const std::byte* block = row + at / subs * Format::bytes;
            factors[i] = Format::factors(block);
            unpack<Format>(block, at % subs, terms[i]);
        }
        for (std::size_t c = 0; c < panel.n_columns; ++c) {
            float sum = a.sum[c];
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t at = panel.at(c, begin + i);
                const float dx = x.scale[at];
                const float dot = exact_dot(terms[i], x.q.data() + at * block_size);
                sum = std::fma(factors[i].d * dx, dot, sum);
                if constexpr (Format::rule == Rule::affine)
                    sum = std::fma(factors[i].m, dx * static_cast<float>(x.sum[at]), sum);
            }
            a.sum[c] = sum;
        }
    }
}

/// Formats with scales of the sub-blocks: the sub-blocks that the slice touches add to u and v,
/// these to a at its end. The slice begins at sub-block `first_sub` of the block at `row`.
template <class Format>
[[gnu::always_inline]] inline void sum_super_blocks(const std::byte* row, std::size_t first_sub,
                                                    const Panel& panel, std::size_t n_blocks,
                                                    RowSums& a) noexcept {
    constexpr bool has_min = Format::rule == Rule::sub_affine;
    const Activations& x = panel.x;
    Terms terms[strip_blocks];
    for (std::size_t begin = 0; begin < n_blocks; row += Format::bytes) {
        const std::size_t sub = begin == 0 ? first_sub : 0;
        const std::size_t n = std::min(strip_blocks - sub, n_blocks - begin);
        for (std::size_t i = 0; i < n; ++i) unpack<Format>(row, sub + i, terms[i]);
        const quant::Factors factors = Format::factors(row);
        for (std::size_t c = 0; c < panel.n_columns; ++c) {
            float u = 0.0f;
            float v = 0.0f;
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t at = panel.at(c, begin + i);
                const float dx = x.scale[at];
                u = std::fma(dx, exact_dot(terms[i], x.q.data() + at * block_size), u);
                if constexpr (has_min)
                    v = std::fma(dx, exact_min_sum(terms[i], x.half_sum.data() + 2 * at), v);
            }
            a.sum[c] = std::fma(factors.d, u, a.sum[c]);
            if constexpr (has_min) a.sum[c] = std::fma(-factors.m, v, a.sum[c]);
        }
        begin += n;
    }
}

/// One row × a panel over the panel's slice. `row` is the row's file block number
/// `first_file_block`.
PILLAR_CLONES
void sum_slice(quant::Type type, const std::byte* row, std::size_t first_file_block,
               const Panel& panel, RowSums& out) noexcept {
    const Slice& slice = panel.x.layout.slices[panel.slice];
    const std::size_t first = slice.first_block();
    const std::size_t n_blocks = slice.n_blocks();
    out = RowSums{};
    quant::with_format(
        type, [&](auto format) __attribute__((always_inline)) {
            using Format = decltype(format);
            constexpr std::size_t subs = Format::weights / block_size;
            const std::byte* start = row + (first / subs - first_file_block) * Format::bytes;
            if constexpr (Format::rule < Rule::sub_scaled)
                sum_blocks<Format>(start, first % subs, panel, n_blocks, out);
            else
                sum_super_blocks<Format>(start, first % subs, panel, n_blocks, out);
        });
}

} // namespace

void multiply_integers(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                       std::size_t group_begin, std::size_t group_end) noexcept {
    const std::size_t n_columns = x.n_columns();
    const MatrixShape& shape = w.shape();
    const std::size_t first_file_block = shape.file_blocks().first;
    for (std::size_t r = group_begin; r < group_end; ++r) {
        for (std::size_t c = 0; c < n_columns; c += tile_columns) {
            const std::size_t n = std::min(tile_columns, n_columns - c);
            const auto sum_one = [&](std::size_t slice, RowSums& out) {
                sum_slice(shape.type, w.group(r), first_file_block, Panel{x, c, n, slice}, out);
            };
            RowSums sums;
            sum_as_tree(0, shape.slices.size(), sum_one, sums);
            for (std::size_t i = 0; i < n; ++i) y[(c + i) * y_stride + r] = sums.sum[i];
        }
    }
}

} // namespace pillar::kernels::reference
