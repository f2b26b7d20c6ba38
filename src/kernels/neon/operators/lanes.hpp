#pragma once
// Sums along one vector: 16 virtual lanes, lane i mod 16 takes term i, then a fixed tree. Four
// vectors are the 16 lanes.

#include "neon/simd.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t n_lane_vectors = 4;

/// (i, i+8), (i, i+4), (i, i+2), (i, i+1).
inline float sum_of_lanes(const Floats (&v)[n_lane_vectors]) noexcept {
    const Floats four = vaddq_f32(vaddq_f32(v[0], v[2]), vaddq_f32(v[1], v[3]));
    const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

} // namespace
} // namespace pillar::kernels::neon
