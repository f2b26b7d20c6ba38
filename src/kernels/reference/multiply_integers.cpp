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

using quant::Factors;
using quant::Rule;
using quant::SubBlock;

constexpr std::size_t tile_columns = 8; ///< activation columns that share one unpacked block

/// The sums of one row and one slice with up to tile_columns columns.
struct RowSums {
    float sum[tile_columns];
};

/// One slice's activation blocks of the columns of a tile.
struct Panel {
    const Activations& x;
    std::size_t column;    ///< first column of the tile
    std::size_t n_columns; ///< ≤ tile_columns
    std::size_t slice;
    [[nodiscard]] std::size_t at(std::size_t c, std::size_t block) const noexcept {
        return (column + c) * x.layout.n_blocks + x.layout.block_begin[slice] + block;
    }
};

[[gnu::always_inline]] inline int dot_16(const std::int8_t* w, const std::int8_t* q) noexcept {
    int sum = 0;
    for (std::size_t k = 0; k < 16; ++k) sum += w[k] * q[k];
    return sum;
}

/// Formats without sub-blocks: a takes one or two terms a block.
[[gnu::always_inline]] inline void add_block(const SubBlock& w, Factors factors, bool affine,
                                             const Activations& x, std::size_t at,
                                             float& a) noexcept {
    const std::int8_t* q = x.q.data() + at * block_size;
    const float dx = x.scale[at];
    const auto dot = static_cast<float>(dot_16(w.q, q) + dot_16(w.q + 16, q + 16));
    a = std::fma(factors.d * dx, dot, a);
    if (affine) a = std::fma(factors.m, dx * static_cast<float>(x.sum[at]), a);
}

/// Formats with super-blocks: u and v take one term a sub-block.
[[gnu::always_inline]] inline void add_sub_block(const SubBlock& w, bool affine,
                                                 const Activations& x, std::size_t at, float& u,
                                                 float& v) noexcept {
    const std::int8_t* q = x.q.data() + at * block_size;
    const std::int16_t* half_sum = x.half_sum.data() + 2 * at;
    const float dx = x.scale[at];
    const int dots = w.scale[0] * dot_16(w.q, q) + w.scale[1] * dot_16(w.q + 16, q + 16);
    u = std::fma(dx, static_cast<float>(dots), u);
    if (affine) {
        const int mins = w.min[0] * half_sum[0] + w.min[1] * half_sum[1];
        v = std::fma(dx, static_cast<float>(mins), v);
    }
}

/// One row × the columns of a panel over one slice. `row` is the file block at `first_file_block`.
template <class Format>
[[gnu::always_inline]] inline void sum_slice_of(const std::byte* row, std::size_t first_file_block,
                                                const Panel& panel, RowSums& out) noexcept {
    constexpr std::size_t subs = Format::weights / block_size;
    constexpr bool affine = Format::rule == Rule::affine || Format::rule == Rule::sub_affine;
    const Slice& slice = panel.x.layout.slices[panel.slice];
    const std::size_t n_blocks = slice.n_blocks();
    float a[tile_columns] = {};
    float u[tile_columns] = {};
    float v[tile_columns] = {};
    for (std::size_t b = 0; b < n_blocks; ++b) {
        const std::size_t position = slice.first_block() + b;
        const std::size_t sub = position % subs;
        const std::byte* block = row + (position / subs - first_file_block) * Format::bytes;
        SubBlock w;
        Format::unpack(block, sub, w);
        if constexpr (subs == 1) {
            const Factors factors = Format::factors(block);
            for (std::size_t c = 0; c < panel.n_columns; ++c)
                add_block(w, factors, affine, panel.x, panel.at(c, b), a[c]);
            continue;
        }
        for (std::size_t c = 0; c < panel.n_columns; ++c)
            add_sub_block(w, affine, panel.x, panel.at(c, b), u[c], v[c]);
        if (sub + 1 < subs && b + 1 < n_blocks) continue;
        const Factors factors = Format::factors(block);
        for (std::size_t c = 0; c < panel.n_columns; ++c) {
            a[c] = std::fma(factors.d, u[c], a[c]);
            if (affine) a[c] = std::fma(-factors.m, v[c], a[c]);
            u[c] = v[c] = 0.0f;
        }
    }
    std::copy_n(a, tile_columns, out.sum);
}

PILLAR_CLONES
void sum_slice(quant::Type type, const std::byte* row, std::size_t first_file_block,
               const Panel& panel, RowSums& out) noexcept {
    quant::with_format(
        type, [&](auto format) __attribute__((always_inline)) {
            sum_slice_of<decltype(format)>(row, first_file_block, panel, out);
        });
}

} // namespace

void multiply_integers(const Matrix& w, const Activations& x, std::size_t n_columns, float* y,
                       std::size_t y_stride, std::size_t group_begin,
                       std::size_t group_end) noexcept {
    const MatrixShape& shape = w.shape();
    const std::size_t first_file_block = shape.file_blocks().first;
    for (std::size_t r = group_begin; r < group_end; ++r) {
        for (std::size_t c = 0; c < n_columns; c += tile_columns) {
            const std::size_t n = std::min(tile_columns, n_columns - c);
            RowSums sums;
            sum_as_tree(
                0, shape.slices.size(),
                [&](std::size_t slice, RowSums& out) {
                    sum_slice(shape.type, w.group(r), first_file_block, Panel{x, c, n, slice}, out);
                },
                sums);
            for (std::size_t i = 0; i < n; ++i) y[(c + i) * y_stride + r] = sums.sum[i];
        }
    }
}

} // namespace pillar::kernels::reference
