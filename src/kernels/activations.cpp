// How activation vectors are cut into blocks.

#include "pillar/kernels/activations.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::kernels {

ActivationLayout::ActivationLayout(std::span<const Slice> the_slices)
    : slices(the_slices.begin(), the_slices.end()) {
    expects(!slices.empty(), "activations have at least one slice");
    origin = slices.front().begin;
    std::size_t column = origin;
    block_begin.reserve(slices.size() + 1);
    for (const Slice& slice : slices) {
        expects(slice.begin == column && slice.end >= column, "slices are adjacent and in order");
        block_begin.push_back(n_blocks);
        n_blocks += slice.n_blocks();
        column = slice.end;
    }
    block_begin.push_back(n_blocks);
    length = column - origin;
}

ActivationLayout ActivationLayout::of_slice(std::size_t s) const {
    ActivationLayout one = *this; // its length and its blocks stay those of all
    one.slices = {slices[s]};
    one.block_begin = {block_begin[s], block_begin[s + 1]};
    return one;
}

Activations::Activations(const ActivationLayout& the_layout, std::size_t the_max_columns,
                         std::size_t the_panel_columns, std::size_t x_columns)
    : layout(the_layout), max_columns(the_max_columns), panel_columns(the_panel_columns),
      x_stride((layout.length + 15) / 16 * 16), n_columns_(max_columns),
      own_x_(x_columns * x_stride), own_scale_(max_columns * layout.n_blocks),
      own_q_(max_columns * layout.n_blocks * block_size), own_sum_(max_columns * layout.n_blocks),
      own_half_sum_(max_columns * layout.n_blocks * 2) {
    expects(panel_columns > 0, "a panel has at least one column");
    x = own_x_.span();
    q = own_q_.span();
    scale = own_scale_.span();
    sum = own_sum_.span();
    half_sum = own_half_sum_.span();
}

Activations::Activations(const ActivationLayout& the_layout, std::size_t the_max_columns,
                         std::size_t the_panel_columns)
    : Activations(the_layout, the_max_columns, the_panel_columns, the_max_columns) {}

Activations::Activations(OnlyBlocks /*tag*/, const ActivationLayout& the_layout,
                         std::size_t the_max_columns, std::size_t the_panel_columns)
    : Activations(the_layout, the_max_columns, the_panel_columns, 0) {}

Activations::Activations(const Activations& all, const ActivationLayout& the_layout)
    : layout(the_layout), max_columns(all.max_columns), panel_columns(all.panel_columns),
      x_stride(all.x_stride), n_columns_(0) {
    expects(layout.n_blocks == all.layout.n_blocks && layout.length == all.layout.length,
            "a view is of the same vectors");
}

std::size_t Activations::size_bytes(const ActivationLayout& layout, std::size_t max_columns,
                                    bool with_floats) noexcept {
    const std::size_t floats = with_floats ? (layout.length + 15) / 16 * 16 : 0;
    const std::size_t a_block =
        block_size + sizeof(float) + sizeof(std::int32_t) + 2 * sizeof(std::int16_t);
    return max_columns * (floats * sizeof(float) + layout.n_blocks * a_block);
}

void Activations::set_columns(std::size_t n) {
    expects(n <= max_columns, "activations have room for the columns");
    n_columns_ = n;
}

void Activations::point_at(Activations& all, std::size_t begin, std::size_t n) {
    expects(begin + n <= all.max_columns, "the columns are there");
    n_columns_ = n;
    const auto part = [&](auto span, std::size_t a_column) {
        return span.subspan(begin * a_column, n * a_column);
    };
    x = all.x.empty() ? all.x : part(all.x, x_stride);
    q = part(all.q, layout.n_blocks * block_size);
    scale = part(all.scale, layout.n_blocks);
    sum = part(all.sum, layout.n_blocks);
    half_sum = part(all.half_sum, 2 * layout.n_blocks);
}

void Activations::copy_column(std::size_t to, const Activations& other, std::size_t from) noexcept {
    if (!x.empty() && !other.x.empty()) std::copy_n(other.column(from), layout.length, column(to));
    const std::size_t source = other.block_at(from, 0), target = block_at(to, 0);
    const std::size_t source_step = other.panel_of(from).width, step = panel_of(to).width;
    for (std::size_t b = 0; b < layout.n_blocks; ++b) {
        const std::size_t s = source + b * source_step, t = target + b * step;
        std::copy_n(other.q.data() + s * block_size, block_size, q.data() + t * block_size);
        scale[t] = other.scale[s];
        sum[t] = other.sum[s];
        std::copy_n(other.half_sum.data() + 2 * s, 2, half_sum.data() + 2 * t);
    }
}

} // namespace pillar::kernels
