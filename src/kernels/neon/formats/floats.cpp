// F32, F16 and BF16 with f32 activations: a = fma(w, x, a), one chain a row and column. A group has
// 16 rows, so that four vectors hide part of the fma's latency. Packed: for each column of each
// slice the 16 rows' weights side by side, in the file's type.

#include "neon/format.hpp"
#include "neon/products/product.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t float_rows = 16;
inline constexpr std::size_t row_vectors = float_rows / lanes;

struct F32 {
    static constexpr std::size_t bytes = 4;
    static Floats load(const std::byte* p) noexcept {
        return vld1q_f32(reinterpret_cast<const float*>(p));
    }
};
struct F16 {
    static constexpr std::size_t bytes = 2;
    static Floats load(const std::byte* p) noexcept { return load_halves(p); }
};
struct BF16 {
    static constexpr std::size_t bytes = 2;
    static Floats load(const std::byte* p) noexcept {
        const uint16x4_t halves = vld1_u16(reinterpret_cast<const std::uint16_t*>(p));
        return vreinterpretq_f32_u32(vshll_n_u16(halves, 16));
    }
};

/// C columns of x over n weights columns; sums is (C, row_vectors).
template <class Element, std::size_t C>
[[gnu::noinline]] const std::byte* add_columns(const std::byte* stream, const float* x,
                                               std::size_t x_stride, std::size_t n,
                                               Floats* sums) noexcept {
    Floats a[C][row_vectors];
    const auto each = [](auto f) __attribute__((always_inline)) {
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) {
            unrolled<row_vectors>([&](std::size_t i) __attribute__((always_inline)) { f(c, i); });
        });
    };
    each([&](std::size_t c, std::size_t i)
             __attribute__((always_inline)) { a[c][i] = sums[c * row_vectors + i]; });
    for (std::size_t k = 0; k < n; ++k, stream += float_rows * Element::bytes) {
        prefetch_ahead(stream);
        Floats w[row_vectors];
        unrolled<row_vectors>([&](std::size_t i) __attribute__((always_inline)) {
            w[i] = Element::load(stream + i * lanes * Element::bytes);
        });
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) {
            const float x_c = load_scalar(x + c * x_stride + k);
            unrolled<row_vectors>([&](std::size_t i) __attribute__((always_inline)) {
                a[c][i] = vfmaq_n_f32(a[c][i], w[i], x_c);
            });
        });
    }
    each([&](std::size_t c, std::size_t i)
             __attribute__((always_inline)) { sums[c * row_vectors + i] = a[c][i]; });
    return stream;
}

/// One group × C columns: all slices and their tree.
template <class Element, std::size_t C>
void multiply_group(const ProductView& p, std::size_t group, std::size_t column) noexcept {
    const float* x = p.x + column * p.x_stride;
    const std::byte* stream = p.groups + group * p.group_bytes;
    SliceTree<row_vectors * C> tree(row_vectors * C);
    for (std::size_t s = 0; s < p.n_slices; ++s) {
        const Slice& slice = p.slices[s];
        stream = add_columns<Element, C>(stream, x + (slice.begin - p.origin), p.x_stride,
                                         slice.end - slice.begin, tree.begin(s));
        tree.end(s);
    }
    for (std::size_t i = 0; i < row_vectors * C; ++i) {
        const std::size_t row = group * float_rows + i % row_vectors * lanes;
        if (row < p.n_rows)
            store_first(p.y + (column + i / row_vectors) * p.y_stride + row, p.n_rows - row,
                        tree.total()[i]);
    }
}

/// Batches of groups stay in the second-level cache while all columns pass over them.
template <class Element>
void multiply_floats(const ProductView& p) noexcept {
    constexpr decltype(&multiply_group<Element, 1>) multiply[] = {
        multiply_group<Element, 1>, multiply_group<Element, 2>, multiply_group<Element, 3>,
        multiply_group<Element, 4>};
    const std::size_t batch = smaller(max_batch_groups, batch_bytes / (p.group_bytes + 1) + 1);
    for (std::size_t begin = p.group_begin; begin < p.group_end; begin += batch) {
        const std::size_t end = smaller(begin + batch, p.group_end);
        for (std::size_t c = 0; c < p.n_columns; c += panel_columns) {
            const std::size_t n = smaller(panel_columns, p.n_columns - c);
            for (std::size_t g = begin; g < end; ++g) multiply[n - 1](p, g, c);
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

} // namespace

constinit const Format f32_format = format_of_floats<F32>();
constinit const Format f16_format = format_of_floats<F16>();
constinit const Format bf16_format = format_of_floats<BF16>();

} // namespace pillar::kernels::neon
