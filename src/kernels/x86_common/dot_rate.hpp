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
    unrolled<n_sums>([&](auto i) { sums[i] = fill_32(0); });
    for (std::uint64_t round = 0; round < n_rounds; ++round) {
        renew(weights);
        renew(x);
        unrolled<n_sums>([&](auto i) {
            sums[i] = dot_bytes(sums[i], weights, x);
            renew(sums[i]); // in its register
        });
    }
    return n_rounds * n_sums * vector_bytes;
}

#else

/// Without VNNI pairs are added in int16, eight vectors of them, then widened once.
inline std::uint64_t dot_rate(std::uint64_t n_rounds) noexcept {
    constexpr std::size_t n_columns = 4, n_vectors = 8;
    const Ints ones = fill_16(1);
    Ints weights = fill_8(3), other_weights = fill_8(4), x = fill_8(-5), other_x = fill_8(-6);
    const auto products = [](Ints w, Ints column) { return _mm256_maddubs_epi16(w, column); };
    const auto column = [&](Ints& sum) {
        Ints pairs = fill_16(0);
        unrolled<n_vectors / 4>([&](auto) {
            renew(x);
            renew(other_x);
            pairs = _mm256_add_epi16(pairs, products(weights, x));
            pairs = _mm256_add_epi16(pairs, products(other_weights, x));
            pairs = _mm256_add_epi16(pairs, products(weights, other_x));
            pairs = _mm256_add_epi16(pairs, products(other_weights, other_x));
        });
        sum = plus_32(sum, dot_16(pairs, ones));
    };
    Ints a = fill_32(0), b = a, c = a, d = a;
    for (std::uint64_t round = 0; round < n_rounds; ++round) {
        column(a);
        column(b);
        column(c);
        column(d);
    }
    renew(a); // they are wanted
    renew(b);
    renew(c);
    renew(d);
    return n_rounds * n_columns * n_vectors * vector_bytes;
}

#endif

} // namespace
} // namespace pillar::kernels::x86
