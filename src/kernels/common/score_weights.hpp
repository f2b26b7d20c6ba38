#pragma once
// From scores to weights: scale, cap, maximum and exponentials of one query over the positions of a
// page that it sees. Written once for all instruction sets, with the vectors of `Simd`
// (attention_kernel.hpp).

#include "attention_parts.hpp"

namespace pillar::kernels {
namespace {

template <class Simd>
struct ScoreWeights {
    using Floats = typename Simd::Floats;
    static constexpr std::size_t lanes = Simd::lanes;

    /// Scale a query's scores of positions [begin, end) in place, cap them, and find their maximum,
    /// −∞ if there is none. A NaN is none.
    static float scale_and_maximum(float* s, std::size_t begin, std::size_t end,
                                   ScoreRule rule) noexcept {
        const Floats lowest = Simd::set1(-__builtin_inff());
        Floats m = lowest;
        for (std::size_t j = begin / lanes * lanes; j < end; j += lanes) {
            Floats scaled = Simd::mul(Simd::load(s + j), Simd::set1(rule.scale));
            if (rule.cap > 0) scaled = capped(scaled, rule.cap);
            Simd::store(s + j, scaled);
            if (j < begin) scaled = Simd::first_or(lowest, begin - j, scaled);
            if (end - j < lanes) scaled = Simd::first_or(scaled, end - j, lowest);
            m = Simd::larger(scaled, m);
        }
        return Simd::max_lane(m);
    }

    /// cap · tanh(s / cap), with one exponential.
    static Floats capped(Floats s, float cap) noexcept {
        const Floats e = Simd::exp_floats(Simd::mul(s, Simd::set1(2.0f / cap)));
        const Floats rest = Simd::div(Simd::set1(2.0f * cap), Simd::add(Simd::set1(1.0f), e));
        return Simd::sub(Simd::set1(cap), rest);
    }

    /// s[j] = exp(s[j] − m) of positions [begin, end), +0 for invisible ones of the first and the
    /// last 16; returns their sum, position j in lane j mod 16.
    static float exponentials(float* s, std::size_t begin, std::size_t end, float m) noexcept {
        constexpr std::size_t n_sums = 16 / lanes;
        Floats sums[n_sums];
        for (Floats& sum : sums) sum = Simd::set1(0.0f);
        const auto some = [&](std::size_t first) __attribute__((always_inline)) {
            for (std::size_t i = 0; i < n_sums && first + i * lanes < end; ++i) {
                const std::size_t j = first + i * lanes;
                Floats e = Simd::exp_floats(Simd::sub(Simd::load(s + j), Simd::set1(m)));
                if (j < begin) e = Simd::first_or(Simd::set1(0.0f), less_of(lanes, begin - j), e);
                if (end - j < lanes) e = Simd::first_or(e, end - j, Simd::set1(0.0f));
                Simd::store(s + j, e);
                sums[i] = Simd::add(sums[i], e);
            }
        };
        std::size_t j = begin / 16 * 16;
        if (j < begin) {
            some(j);
            j += 16;
        }
        constexpr std::size_t N = Simd::exp_vectors;
        static_assert(N % n_sums == 0);
        for (; j + N * lanes <= end; j += N * lanes) {
            Floats e[N];
            for (std::size_t i = 0; i < N; ++i)
                e[i] = Simd::sub(Simd::load(s + j + i * lanes), Simd::set1(m));
            Simd::exp_all(e);
            for (std::size_t i = 0; i < N; ++i) {
                Simd::store(s + j + i * lanes, e[i]);
                sums[i % n_sums] = Simd::add(sums[i % n_sums], e[i]);
            }
        }
        for (; j < end; j += 16) some(j);
        return Simd::sum_of_lanes(sums);
    }
};

} // namespace
} // namespace pillar::kernels
