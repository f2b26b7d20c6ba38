// Products of exactly decoded weights with f32 activations. A tile is 16 rows × 64 columns: the
// weights of 16 rows are decoded side by side, so that rows lie across SIMD lanes and every sum
// runs in order.

#include "clones.hpp"
#include "operators.hpp"
#include "slices.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::kernels::reference {

namespace {

constexpr std::size_t tile_rows = 32;
constexpr std::size_t tile_columns = 64;
constexpr std::size_t chunk_weights =
    256; ///< weights of a row decoded at a time: whole blocks of any format

struct alignas(64) TileSums {
    float sum[tile_columns][tile_rows];
    void add(const TileSums& right) noexcept {
        for (std::size_t c = 0; c < tile_columns; ++c)
            for (std::size_t r = 0; r < tile_rows; ++r) sum[c][r] += right.sum[c][r];
    }
};

/// What a tile multiplies: rows [row, row + n_rows) × columns [column, column + n_columns).
struct Tile {
    const Matrix& w;
    const Activations& x;
    std::size_t row, n_rows;
    std::size_t column, n_columns;
};

/// Weights [begin, end) of the tile's rows, side by side: out[k][r]. Missing rows stay as they are.
void decode_chunk(const Tile& tile, std::size_t begin, std::size_t end,
                  float (*out)[tile_rows]) noexcept {
    const MatrixShape& shape = tile.w.shape();
    const quant::TypeInfo& format = quant::info(shape.type);
    const std::size_t first = begin / format.block_weights;
    const std::size_t n_blocks = (end + format.block_weights - 1) / format.block_weights - first;
    const std::size_t offset = (first - shape.file_blocks().first) * format.block_bytes;
    float weights[chunk_weights];
    for (std::size_t r = 0; r < tile.n_rows; ++r) {
        const std::byte* blocks = tile.w.group(tile.row + r) + offset;
        quant::decode_row(shape.type, {blocks, n_blocks * format.block_bytes},
                          {weights, n_blocks * format.block_weights});
        const float* used = weights + (begin - first * format.block_weights);
        for (std::size_t k = 0; k < end - begin; ++k) out[k][r] = used[k];
    }
}

/// sum[c][r] = fma(w[k][r], x[c][k], sum[c][r]) for k in order.
PILLAR_CLONES
void accumulate(const float (*__restrict w)[tile_rows], std::size_t n, const float* __restrict x,
                std::size_t x_stride, std::size_t n_columns,
                float (*__restrict sum)[tile_rows]) noexcept {
    for (std::size_t c = 0; c < n_columns; ++c)
        for (std::size_t k = 0; k < n; ++k)
            for (std::size_t r = 0; r < tile_rows; ++r)
                sum[c][r] = std::fma(w[k][r], x[c * x_stride + k], sum[c][r]);
}

void sum_slice(const Tile& tile, std::size_t s, TileSums& out) noexcept {
    out = TileSums{};
    const Slice& slice = tile.w.shape().slices[s];
    alignas(64) float weights[chunk_weights][tile_rows] = {};
    for (std::size_t begin = slice.begin; begin < slice.end;) {
        const std::size_t border = (begin / chunk_weights + 1) * chunk_weights;
        const std::size_t end = std::min(slice.end, border);
        decode_chunk(tile, begin, end, weights);
        accumulate(weights, end - begin,
                   tile.x.column(tile.column) + (begin - tile.x.layout.origin), tile.x.x_stride,
                   tile.n_columns, out.sum);
        begin = end;
    }
}

} // namespace

void multiply_floats(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                     std::size_t group_begin, std::size_t group_end) noexcept {
    const std::size_t n_columns = x.n_columns();
    for (std::size_t row = group_begin; row < group_end; row += tile_rows) {
        for (std::size_t column = 0; column < n_columns; column += tile_columns) {
            const Tile tile{w,      x,
                            row,    std::min(tile_rows, group_end - row),
                            column, std::min(tile_columns, n_columns - column)};
            TileSums sums;
            sum_as_tree(
                0, w.shape().slices.size(),
                [&](std::size_t slice, TileSums& out) { sum_slice(tile, slice, out); }, sums);
            for (std::size_t c = 0; c < tile.n_columns; ++c)
                for (std::size_t r = 0; r < tile.n_rows; ++r)
                    y[(column + c) * y_stride + row + r] = sums.sum[c][r];
        }
    }
}

} // namespace pillar::kernels::reference
