#pragma once
// Family::dot_rate: the family's byte dot products with all operands in registers, in as many
// independent sums as keep the multipliers busy. What a product does beside that (loading and
// unpacking weights, converting, scaling) takes its time from this rate.

#include "simd.hpp"

#include <cstdint>

namespace pillar::kernels::x86 {
namespace {

/// The compiler must take v for new: nothing computed from it can be moved out of a loop.
inline void renew(Ints& v) noexcept {
    asm volatile("" : "+v"(v));
}

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)

inline std::uint64_t dot_rate(std::uint64_t n_rounds) noexcept {
    constexpr std::size_t n_sums = 10; // 5 cycles of latency, two a cycle
    Ints sums[n_sums], weights = fill_8(3), x = fill_8(-5);
    for (Ints& sum : sums) sum = fill_32(0);
    for (std::uint64_t round = 0; round < n_rounds; ++round) {
        renew(weights);
        renew(x);
        unrolled<n_sums>([&](auto i) { sums[i] = dot_bytes(sums[i], weights, x); });
    }
    for (Ints& sum : sums) renew(sum); // they are wanted
    return n_rounds * n_sums * vector_bytes;
}

#else

/// Without VNNI pairs are added in int16, eight vectors of them, then widened once.
inline std::uint64_t dot_rate(std::uint64_t n_rounds) noexcept {
    constexpr std::size_t n_sums = 3, n_vectors = 8;
    Ints sums[n_sums], weights[4], x[n_sums];
    const Ints ones = fill_16(1);
    for (Ints& sum : sums) sum = fill_32(0);
    for (std::size_t i = 0; i < 4; ++i) weights[i] = fill_8(static_cast<int>(i) + 1);
    for (std::size_t i = 0; i < n_sums; ++i) x[i] = fill_8(-5 - static_cast<int>(i));
    for (std::uint64_t round = 0; round < n_rounds; ++round) {
        Ints pairs[n_sums];
        unrolled<n_vectors>([&](auto j) {
            if constexpr (j % 4 == 0)
                for (Ints& column : x) renew(column);
            unrolled<n_sums>([&](auto i) {
                const Ints product = _mm256_maddubs_epi16(weights[j % 4], x[i]);
                pairs[i] = j == 0 ? product : _mm256_add_epi16(pairs[i], product);
            });
        });
        unrolled<n_sums>([&](auto i) { sums[i] = plus_32(sums[i], dot_16(pairs[i], ones)); });
    }
    for (Ints& sum : sums) renew(sum);
    return n_rounds * n_sums * n_vectors * vector_bytes;
}

#endif

} // namespace
} // namespace pillar::kernels::x86
