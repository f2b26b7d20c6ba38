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

Activations::Activations(const ActivationLayout& the_layout, std::size_t the_max_columns,
                         std::size_t the_panel_columns)
    : layout(the_layout), max_columns(the_max_columns), panel_columns(the_panel_columns),
      x_stride((layout.length + 15) / 16 * 16), x(max_columns * x_stride),
      q(max_columns * layout.n_blocks * block_size), scale(max_columns * layout.n_blocks),
      sum(max_columns * layout.n_blocks), half_sum(max_columns * layout.n_blocks * 2),
      n_columns_(max_columns) {
    expects(panel_columns > 0, "a panel has at least one column");
}

void Activations::set_columns(std::size_t n) {
    expects(n <= max_columns, "activations have room for the columns");
    n_columns_ = n;
}

} // namespace pillar::kernels
