#pragma once
// How a team shares the products of each layer that belong together.

#include "blocks/shared_pass.hpp"

#include "pillar/kernels/family.hpp"
#include "pillar/model/model.hpp"

#include <vector>

namespace pillar::forward {

struct LayerPasses {
    SharedPass heads;        ///< query, key and value
    SharedPass feed_forward; ///< gate and up, in units of 32 of their rows; none of experts
};

/// Of all layers. Cuts stand where what follows the products can be cut: rotation takes pairs of
/// rows, a q8_0 cache blocks of 32.
std::vector<LayerPasses> share_passes(const model::Model& model, kernels::CacheTypes cache,
                                      int n_threads);

} // namespace pillar::forward
