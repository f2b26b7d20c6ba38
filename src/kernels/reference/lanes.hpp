#pragma once
// Sums along one vector: 16 virtual lanes, lane i mod 16 takes term i, then a fixed tree.

#include <cstddef>

namespace pillar::kernels::reference {

inline constexpr std::size_t n_lanes = 16;

/// Add the lanes as the tree (i, i+8), (i, i+4), (i, i+2), (i, i+1). The lanes are used up.
[[gnu::always_inline]] inline float sum_of_lanes(float (&lanes)[n_lanes]) noexcept {
    for (std::size_t distance = n_lanes / 2; distance > 0; distance /= 2)
        for (std::size_t i = 0; i < distance; ++i) lanes[i] += lanes[i + distance];
    return lanes[0];
}

} // namespace pillar::kernels::reference
