#pragma once
// F32, F16 and BF16 with f32 activations: a = fma(w, x, a), one chain a row and column. A group has
// two vectors of rows, which hides part of the fma's latency. Packed: for each column of each slice
// the rows' weights side by side, in the file's type.

#include "x86_common/products/product.hpp"

namespace pillar::kernels::x86 {
namespace {

inline constexpr std::size_t float_rows = 2 * lanes;
inline constexpr std::size_t max_columns = 4; ///< columns that share one pass over the weights

struct F32 {
    static constexpr std::size_t bytes = 4;
    static Floats load(const std::byte* p) noexcept { return as_floats(load_bytes(p)); }
};
struct F16 {
    static constexpr std::size_t bytes = 2;
    static Floats load(const std::byte* p) noexcept { return load_halves(p); }
};
struct BF16 {
    static constexpr std::size_t bytes = 2;
    static Floats load(const std::byte* p) noexcept {
        return as_floats(shift_left_32<16>(load_u16_as_32(p)));
    }
};

/// C columns of x over n weights columns; sums is (C, 2 vectors of rows).
template <class Element, std::size_t C>
inline const std::byte* add_columns(const std::byte* stream, const float* x, std::size_t x_stride,
                                    std::size_t n, Floats* sums) noexcept {
    Floats a[C], b[C];
    for (std::size_t c = 0; c < C; ++c) {
        a[c] = sums[2 * c];
        b[c] = sums[2 * c + 1];
    }
    for (std::size_t k = 0; k < n; ++k, stream += float_rows * Element::bytes) {
        prefetch_ahead<float_rows * Element::bytes>(stream);
        const Floats w_a = Element::load(stream);
        const Floats w_b = Element::load(stream + lanes * Element::bytes);
        for (std::size_t c = 0; c < C; ++c) {
            const Floats x_c = fill(x[c * x_stride + k]);
            a[c] = fma(w_a, x_c, a[c]);
            b[c] = fma(w_b, x_c, b[c]);
        }
    }
    for (std::size_t c = 0; c < C; ++c) {
        sums[2 * c] = a[c];
        sums[2 * c + 1] = b[c];
    }
    return stream;
}

/// One group × C columns: all slices and their tree.
template <class Element, std::size_t C>
void multiply_group(const ProductView& p, std::size_t group, std::size_t column) noexcept {
    const float* x = p.x + column * p.x_stride;
    const std::byte* stream = p.groups + group * p.group_bytes;
    SliceTree<2 * C> tree(2 * C);
    for (std::size_t s = 0; s < p.n_slices; ++s) {
        const Slice& slice = p.slices[s];
        stream = add_columns<Element, C>(stream, x + (slice.begin - p.origin), p.x_stride,
                                         slice.end - slice.begin, tree.begin(s));
        tree.end(s);
    }
    const std::size_t row = group * float_rows;
    for (std::size_t i = 0; i < 2 * C; ++i) {
        const std::size_t first = row + i % 2 * lanes;
        if (first < p.n_rows)
            store_first(p.y + (column + i / 2) * p.y_stride + first, p.n_rows - first,
                        tree.total()[i]);
    }
}

/// One group × n ≤ max_columns columns.
template <class Element>
void multiply_group(const ProductView& p, std::size_t group, std::size_t column,
                    std::size_t n) noexcept {
    switch (n) {
    case 1:
        return multiply_group<Element, 1>(p, group, column);
    case 2:
        return multiply_group<Element, 2>(p, group, column);
    case 3:
        return multiply_group<Element, 3>(p, group, column);
    default:
        return multiply_group<Element, max_columns>(p, group, column);
    }
}

/// Batches of groups stay in the second-level cache while all columns pass over them.
template <class Element>
void multiply_floats(const ProductView& p) noexcept {
    for (std::size_t begin = p.group_begin; begin < p.group_end; begin += max_batch_groups) {
        const std::size_t end = smaller(begin + max_batch_groups, p.group_end);
        for (std::size_t c = 0; c < p.n_columns; c += max_columns) {
            const std::size_t n = smaller(max_columns, p.n_columns - c);
            for (std::size_t g = begin; g < end; ++g) multiply_group<Element>(p, g, c, n);
        }
    }
}

template <class Element>
void pack_floats(const PackView& p) noexcept {
    const std::size_t first = p.slices[0].begin;
    const std::size_t n = p.slices[p.n_slices - 1].end - first;
    for (std::size_t r = 0; r < float_rows; ++r) {
        if (p.rows[r] == nullptr) continue; // zero already
        for (std::size_t k = 0; k < n; ++k)
            std::memcpy(p.group + (k * float_rows + r) * Element::bytes,
                        p.rows[r] + k * Element::bytes, Element::bytes);
    }
}

template <class Element>
constexpr Format format_of_floats() noexcept {
    return {.rows = float_rows,
            .segment_bytes = 0,
            .block_bytes = 0,
            .column_bytes = float_rows * Element::bytes,
            .pack = pack_floats<Element>,
            .multiply = multiply_floats<Element>};
}

constexpr FloatFormats all_float_formats() noexcept {
    return {.f32 = format_of_floats<F32>(),
            .f16 = format_of_floats<F16>(),
            .bf16 = format_of_floats<BF16>()};
}

} // namespace
} // namespace pillar::kernels::x86
