#pragma once
// Family::dot_rate: byte products on registers alone, 8 a cycle on a Cortex-A72. SMULL and SMLAL
// fill an int16 sum with four products a lane, SADALP widens it; several chains hide the latency.

#include "simd.hpp"

#include <cstdint>

namespace pillar::kernels::neon {
namespace {

inline std::uint64_t dot_rate(std::uint64_t n_rounds) noexcept {
    constexpr std::uint64_t n_chains = 4, products_a_chain = 32;
    int32x4_t a = vdupq_n_s32(0), b = a, c = a, d = a;
    int8x16_t weights = vdupq_n_s8(3), x = vdupq_n_s8(-5);
    const auto chain = [&](int32x4_t& sum) {
        asm volatile("" : "+w"(weights), "+w"(x)); // new, so nothing moves out of the loop
        int16x8_t pairs = vmull_s8(vget_low_s8(weights), vget_low_s8(x));
        pairs = vmlal_high_s8(pairs, weights, x);
        asm volatile("" : "+w"(weights), "+w"(x));
        pairs = vmlal_s8(pairs, vget_low_s8(weights), vget_low_s8(x));
        pairs = vmlal_high_s8(pairs, weights, x);
        sum = vpadalq_s16(sum, pairs);
    };
    for (std::uint64_t round = 0; round < n_rounds; ++round) {
        chain(a);
        chain(b);
        chain(c);
        chain(d);
    }
    asm volatile("" : "+w"(a), "+w"(b), "+w"(c), "+w"(d)); // they are wanted
    return n_rounds * n_chains * products_a_chain;
}

} // namespace
} // namespace pillar::kernels::neon
