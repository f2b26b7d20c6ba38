#pragma once
// The right-hand side of a product: activations of several columns (positions or sequences), as f32
// and, for block formats, as int8 blocks of 32 with their scale and sum. Which weights' columns a
// block stands for is the layout's. The int8 blocks lie as products read them: in panels of a few
// columns, within a panel block after block, within a block column after column. One column alone
// is a contiguous vector. n columns take n times the blocks of one, whatever the panels, so some of
// the columns can be a matrix of their own (a view).

#include "pillar/core/aligned_buffer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::kernels {

inline constexpr std::size_t block_size =
    32; ///< activations a block; all weight formats are cut at it

/// Half-open range of a tensor's columns that is summed on its own, from +0 (docs/architecture.md,
/// "Same bits"). May be empty.
struct Slice {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] bool empty() const noexcept { return begin == end; }
    [[nodiscard]] std::size_t first_block() const noexcept { return begin / block_size; }
    /// Blocks of 32 that the slice touches: its range rounded outward. 0 for an empty slice.
    [[nodiscard]] std::size_t n_blocks() const noexcept {
        return empty() ? 0 : (end + block_size - 1) / block_size - begin / block_size;
    }
    friend bool operator==(const Slice&, const Slice&) = default;
};

/// How activation vectors are cut into blocks for products with `slices`: the blocks of slice 0,
/// then of slice 1, … A block that two slices share appears twice, each time with zeros at the
/// other's positions.
struct ActivationLayout {
    explicit ActivationLayout(std::span<const Slice> slices);

    /// Slice s alone, in vectors that are cut into all of them: for products with that slice of a
    /// matrix.
    [[nodiscard]] ActivationLayout of_slice(std::size_t s) const;

    std::vector<Slice> slices;
    std::size_t origin = 0; ///< tensor column that lies at x[0]: the first slice's begin
    std::size_t length =
        0; ///< floats a vector: last end − origin (slices are adjacent and in order)
    std::size_t n_blocks = 0; ///< over all slices
    std::vector<std::size_t>
        block_begin; ///< first block of each slice within the panel, one more than slices

    friend bool operator==(const ActivationLayout& a, const ActivationLayout& b) {
        return a.slices == b.slices;
    }
};

/// Buffers for up to `max_columns` columns, allocated once. Before a step's activations are
/// quantised, set_columns() tells how many there are.
///   x         f32,   (max_columns, x_stride)  written by whoever computes the activations
///   q         int8,  (blocks, 32)             written by Family::quantize, as all below
///   scale     f32,   (blocks)                 dx of each block
///   sum       int32, (blocks)                 Σ q of each block
///   half_sum  int16, (blocks, 2)              Σ q of its first and of its second 16: a pair is one
///                                             32-bit broadcast against 16-weight minima
/// where `blocks` are, for each panel of up to panel_columns columns, (n_blocks, columns of the
/// panel). A block that holds NaN or infinity gets dx = NaN and q = 0: every product with it is
/// NaN.
struct Activations {
    /// Buffers of its own. `panel_columns` is the family's (Family::panel_columns).
    Activations(const ActivationLayout& layout, std::size_t max_columns, std::size_t panel_columns);
    /// Without floats: what no product with float weights, and no family of float activations, will
    /// read. They are quantised elsewhere and copied (copy_column).
    struct OnlyBlocks {};
    Activations(OnlyBlocks, const ActivationLayout& layout, std::size_t max_columns,
                std::size_t panel_columns);
    /// A view of some columns of another's, whose buffers and widths it takes; `layout` is that
    /// one's, or of one of its slices. It has no columns before point_at().
    Activations(const Activations& all, const ActivationLayout& layout);
    /// Bytes of the buffers for so many columns.
    static std::size_t size_bytes(const ActivationLayout& layout, std::size_t max_columns,
                                  bool with_floats = true) noexcept;
    Activations(Activations&&) = default;
    Activations& operator=(Activations&&) = default;

    ActivationLayout layout;
    std::size_t max_columns;
    std::size_t panel_columns;
    std::size_t x_stride; ///< layout.length rounded up to 16 floats
    std::span<float> x;
    std::span<std::int8_t> q;
    std::span<float> scale;
    std::span<std::int32_t> sum;
    std::span<std::int16_t> half_sum;

    /// A view's: from now on it is columns [begin, begin + n) of `all`, a matrix of their own whose
    /// panels begin anew. What a column's blocks are is what the view's holder has put there.
    void point_at(Activations& all, std::size_t begin, std::size_t n);
    /// Column `to` becomes column `from` of another one of the same layout: floats, where both have
    /// them, and blocks.
    void copy_column(std::size_t to, const Activations& other, std::size_t from) noexcept;

    /// From now on there are n ≤ max_columns columns; what was quantised before is void. By one
    /// thread, while no other quantises or multiplies.
    void set_columns(std::size_t n);
    [[nodiscard]] std::size_t n_columns() const noexcept { return n_columns_; }

    /// The columns that lie together with column c: [begin, begin + width).
    struct Panel {
        std::size_t begin;
        std::size_t width;
    };
    [[nodiscard]] Panel panel_of(std::size_t c) const noexcept {
        const std::size_t begin = c / panel_columns * panel_columns;
        return {begin, std::min(panel_columns, n_columns_ - begin)};
    }
    /// Where block b of column c lies among `blocks`.
    [[nodiscard]] std::size_t block_at(std::size_t c, std::size_t b) const noexcept {
        const Panel panel = panel_of(c);
        return panel.begin * layout.n_blocks + b * panel.width + (c - panel.begin);
    }

    [[nodiscard]] float* column(std::size_t c) noexcept { return x.data() + c * x_stride; }
    [[nodiscard]] const float* column(std::size_t c) const noexcept {
        return x.data() + c * x_stride;
    }

  private:
    Activations(const ActivationLayout& layout, std::size_t max_columns, std::size_t panel_columns,
                std::size_t x_columns);

    std::size_t n_columns_;
    AlignedBuffer<float> own_x_, own_scale_; ///< empty in a view
    AlignedBuffer<std::int8_t> own_q_;
    AlignedBuffer<std::int32_t> own_sum_;
    AlignedBuffer<std::int16_t> own_half_sum_;
};

} // namespace pillar::kernels
