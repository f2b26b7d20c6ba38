#pragma once
// What a step computes.

#include <cstdint>

namespace pillar::attention {

/// One position to compute.
struct Row {
    std::int32_t token = 0;
    std::int32_t position =
        0; ///< within its sequence, without gaps; rows of one sequence come in order
    std::int32_t sequence = 0;
    bool want_logits = false;
};

} // namespace pillar::attention
