#pragma once
// Family::dot_rate: SDOT on registers alone, 16 products each, in as many independent sums as hide
// its latency.

#include "neon/simd.hpp"

namespace pillar::kernels::dotprod {
namespace {

inline std::uint64_t dot_rate(std::uint64_t n_rounds) noexcept {
    constexpr std::uint64_t n_sums = 8, products = 16;
    neon::Ints sums[n_sums];
    neon::Bytes weights = vdupq_n_s8(3), x = vdupq_n_s8(-5);
    neon::unrolled<n_sums>([&](std::size_t i)
                               __attribute__((always_inline)) { sums[i] = vdupq_n_s32(0); });
    for (std::uint64_t round = 0; round < n_rounds; ++round) {
        asm volatile("" : "+w"(weights), "+w"(x)); // new, so nothing moves out of the loop
        neon::unrolled<n_sums>([&](std::size_t i) __attribute__((always_inline)) {
            sums[i] = vdotq_laneq_s32(sums[i], weights, x, 0);
            asm volatile("" : "+w"(sums[i])); // wanted, in its register
        });
    }
    return n_rounds * n_sums * products;
}

} // namespace
} // namespace pillar::kernels::dotprod
