#pragma once
// Products of rows in file bytes with activations through a kernel family, in one call.

#include "pillar/kernels/family.hpp"
#include "support/kernels/random_rows.hpp"

#include <cstring>
#include <numeric>
#include <vector>

namespace pillar::support {

/// Pack rows [row_begin, row_end) for the given slices, as a loader does.
inline kernels::Matrix pack(const kernels::Family& family, const Rows& rows,
                            const std::vector<kernels::Slice>& slices, std::size_t row_begin,
                            std::size_t row_end) {
    kernels::Matrix matrix(family, {rows.type, row_end - row_begin, rows.n_columns, slices});
    const std::size_t offset =
        matrix.shape().file_blocks().first * quant::info(rows.type).block_bytes;
    const std::size_t used =
        matrix.shape().file_blocks().count * quant::info(rows.type).block_bytes;
    const std::size_t group_rows = family.rows_per_group(rows.type);
    for (std::size_t g = 0; g < matrix.n_groups(); ++g) {
        // copies of exactly the bytes that may be read, so that a sanitizer sees any other
        std::vector<std::vector<std::byte>> pieces;
        std::vector<const std::byte*> pointers(group_rows, nullptr);
        for (std::size_t i = 0; i < group_rows; ++i) {
            const std::size_t row = row_begin + g * group_rows + i;
            if (row >= row_end) break;
            pieces.emplace_back(rows.row(row) + offset, rows.row(row) + offset + used);
            pointers[i] = pieces.back().data();
        }
        matrix.pack_group(g, pointers);
    }
    return matrix;
}

/// Columns of activations, each the full length of a row: (n, n_columns of the tensor).
struct Columns {
    std::size_t n;
    std::size_t length;
    std::vector<float> values;
    [[nodiscard]] const float* column(std::size_t c) const { return values.data() + c * length; }
};

inline Columns random_columns(std::size_t n, std::size_t length, std::uint64_t seed) {
    Columns columns{n, length, {}};
    for (std::size_t c = 0; c < n; ++c) {
        const std::vector<float> x = random_activations(length, seed + c);
        columns.values.insert(columns.values.end(), x.begin(), x.end());
    }
    return columns;
}

inline kernels::Activations activations_of(const kernels::Family& family,
                                           const std::vector<kernels::Slice>& slices,
                                           const Columns& columns) {
    kernels::Activations x(kernels::ActivationLayout(slices), columns.n, family.panel_columns);
    for (std::size_t c = 0; c < columns.n; ++c) {
        if (x.layout.length > 0)
            std::memcpy(x.column(c), columns.column(c) + x.layout.origin,
                        x.layout.length * sizeof(float));
        family.quantize(x, c, 0, x.layout.n_blocks);
    }
    return x;
}

/// y (columns, rows) of all rows and columns.
inline std::vector<float> product(const kernels::Family& family, const Rows& rows,
                                  const std::vector<kernels::Slice>& slices,
                                  const Columns& columns) {
    const kernels::Matrix w = pack(family, rows, slices, 0, rows.n_rows);
    const kernels::Activations x = activations_of(family, slices, columns);
    std::vector<float> y(columns.n * rows.n_rows);
    kernels::multiply(w, x, y.data(), rows.n_rows, 0, w.n_groups());
    return y;
}

/// Slices between neighbouring borders.
inline std::vector<kernels::Slice> slices_between(const std::vector<std::size_t>& borders) {
    std::vector<kernels::Slice> slices;
    for (std::size_t i = 0; i + 1 < borders.size(); ++i)
        slices.push_back({borders[i], borders[i + 1]});
    return slices;
}

/// n_slices slices of n units of `width` columns: [⌊s·n/S⌋, ⌊(s+1)·n/S⌋) · width.
inline std::vector<kernels::Slice> even_slices(std::size_t n_units, std::size_t width,
                                               std::size_t n_slices) {
    std::vector<kernels::Slice> slices;
    for (std::size_t s = 0; s < n_slices; ++s)
        slices.push_back({s * n_units / n_slices * width, (s + 1) * n_units / n_slices * width});
    return slices;
}

/// Ways to cut a row of n columns: whole; at heads of 80; with empty slices; within one block.
inline std::vector<std::vector<kernels::Slice>> cuts_of(std::size_t n) {
    std::vector<std::vector<kernels::Slice>> cuts;
    cuts.push_back({{0, n}});
    cuts.push_back(even_slices(n / 80, 80, 8));
    cuts.push_back(even_slices(n / 32, 32, 4));
    cuts.push_back(slices_between({32, 32, 96, 96, 224}));
    cuts.push_back(slices_between({n - 9, n - 4, n}));
    cuts.push_back(slices_between({7, 7, 7}));
    return cuts;
}

} // namespace pillar::support
