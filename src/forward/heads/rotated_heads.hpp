#pragma once
// The end of a query's and a key's way: rotation, then the factor of its position or the cache.

#include "blocks/products.hpp"

#include <algorithm>

namespace pillar::forward {

/// Of one row of a micro-batch in one layer.
class RotatedHeads {
  public:
    RotatedHeads(Workspace& ws, std::size_t layer, const MicroBatch& batch,
                 std::size_t row) noexcept
        : ws_(ws), layer_(layer), row_(batch.begin + row), sequence_(batch.rows[row].sequence),
          page_(static_cast<std::size_t>(batch.rows[row].position) / kernels::page_positions),
          slot_(static_cast<std::size_t>(batch.rows[row].position) % kernels::page_positions) {}

    /// Dimensions [begin, end) of a query head.
    void finish_query(float* head, std::size_t begin, std::size_t end) const noexcept {
        rotate(head, begin, end);
        multiply_by(head + begin, ws_.buffers.query_factors[row_], end - begin);
        if (is_rotated(ws_.cache.types().keys)) kernels::rotate_head(head, ws_.model.h.head_dim);
    }
    /// The same of own KV head `index`, which goes to the cache.
    void finish_key(float* head, std::size_t index, std::size_t begin,
                    std::size_t end) const noexcept {
        rotate(head, begin, end);
        if (is_rotated(ws_.cache.types().keys)) kernels::rotate_head(head, ws_.model.h.head_dim);
        ws_.model.family.store_key(head, ws_.cache.keys(sequence_, page_, layer_, index),
                                   ws_.cache.types().keys, ws_.model.h.head_dim, slot_, begin, end);
    }
    /// A value has no norm and no angles.
    void store_value(float* head, std::size_t index, std::size_t begin,
                     std::size_t end) const noexcept {
        if (is_rotated(ws_.cache.types().values)) kernels::rotate_head(head, ws_.model.h.head_dim);
        ws_.model.family.store_value(head, ws_.cache.values(sequence_, page_, layer_, index),
                                     ws_.cache.types().values, ws_.model.h.head_dim, slot_, begin,
                                     end);
    }

  private:
    /// Whole pairs, by the angles of the row.
    void rotate(float* head, std::size_t begin, std::size_t end) const noexcept {
        const RotaryAngles& angles = ws_.buffers.angles[ws_.model.h.layers[layer_].rope];
        const std::size_t n_pairs = angles.n_pairs, first = begin / 2;
        const std::size_t last = std::min(end / 2, n_pairs);
        if (first >= last) return;
        ws_.model.family.rope(head + begin, angles.cosine.data() + row_ * n_pairs + first,
                              angles.sine.data() + row_ * n_pairs + first, last - first);
    }

    Workspace& ws_;
    std::size_t layer_;
    std::size_t row_; ///< of the step
    std::int32_t sequence_;
    std::size_t page_, slot_;
};

} // namespace pillar::forward
