#pragma once
// The columns of row-parallel matrices that this rank's slices stand for, as the kernels want them.

#include "pillar/kernels/activations.hpp"
#include "pillar/partition/partition.hpp"

#include <vector>

namespace pillar::model {

/// Of the attention output: own heads, head_dim columns each.
inline std::vector<kernels::Slice> head_slices(const partition::Share& share,
                                               std::size_t head_dim) {
    std::vector<kernels::Slice> slices;
    for (const Range& heads : share.slice_heads)
        slices.push_back({heads.begin * head_dim, heads.end * head_dim});
    return slices;
}

/// Of down: own feed-forward columns.
inline std::vector<kernels::Slice> hidden_slices(const partition::Share& share) {
    std::vector<kernels::Slice> slices;
    for (const Range& columns : share.slice_hidden) slices.push_back({columns.begin, columns.end});
    return slices;
}

} // namespace pillar::model
