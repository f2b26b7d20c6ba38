#pragma once
// Queries times the keys of one page (attention_kernel.hpp).

#include "page_loops.hpp"

namespace pillar::kernels {
namespace {

/// Scores of Q neighbouring queries over one page's keys.
template <class Simd, class Keys, std::size_t Q>
struct PageScores {
    using Floats = typename Simd::Floats;
    static constexpr std::size_t lanes = Simd::lanes;

    const Keys& page;
    const PageBytes& bytes;
    std::size_t head_dim;
    const PageQuery* queries; ///< (Q)
    float* scores;            ///< (Q, 256)

    /// Bytes of V vectors in the cache: what one step of a loop asks for.
    template <std::size_t V>
    static constexpr std::size_t step_bytes = V* lanes* Keys::element_bits / 8;

    /// scores[q][j] = fma(q[d], k[d][j], scores[q][j]) over the block of dimensions from `first` on
    /// in order, for V vectors of positions; from +0 in the first block. Meanwhile it asks for the
    /// memory from `ahead` on, line after line, as the hardware's own prefetching likes it.
    template <std::size_t V>
    void score(std::size_t j, std::size_t first, const char* ahead) const noexcept {
        using Index = std::size_t;
        float* const s = scores + j;
        Floats t[Q][V];
        if (first == 0)
            written_out<Q, V>([&](Index q, Index v)
                                  __attribute__((always_inline)) { t[q][v] = Simd::set1(0.0f); });
        else
            written_out<Q, V>([&](Index q, Index v) __attribute__((always_inline)) {
                t[q][v] = Simd::load(s + q * page_positions + v * lanes);
            });
        typename Keys::Scales scales[V];
        written_out<V>([&](Index v) __attribute__((always_inline)) {
            scales[v] = page.scales(first / cache_block, j + v * lanes);
        });
        const float* query[Q];
        written_out<Q>([&](Index q)
                           __attribute__((always_inline)) { query[q] = queries[q].query; });
        const std::size_t end = less_of(first + cache_block, head_dim);
        for (std::size_t d = first; d < end; ++d) {
            prefetch_all<Simd>(ahead + (d - first) * step_bytes<V>, step_bytes<V>);
            Floats keys[V];
            written_out<V>([&](Index v) __attribute__((always_inline)) {
                keys[v] = page.key(d, j + v * lanes, scales[v]);
            });
            written_out<Q>([&](Index q) __attribute__((always_inline)) {
                const Floats x = Simd::set1(query[q][d]);
                written_out<V>([&](Index v) __attribute__((always_inline)) {
                    t[q][v] = Simd::fma(x, keys[v], t[q][v]);
                });
            });
        }
        written_out<Q, V>([&](Index q, Index v) __attribute__((always_inline)) {
            Simd::store(s + q * page_positions + v * lanes, t[q][v]);
        });
    }

    /// Scores of positions [begin, end), a block of dimensions at a time, which is one stretch of
    /// memory. Positions before and beyond are computed up to a whole tile and never used.
    void score_all(std::size_t begin, std::size_t end) const noexcept {
        constexpr std::size_t V = Simd::template key_vectors<Q>;
        static_assert(page_positions % (V * lanes) == 0, "a tile never leaves the page");
        constexpr std::size_t ahead = Simd::template prefetch_bytes<Q>;
        for (std::size_t first = 0; first < head_dim; first += cache_block) {
            const std::size_t dims = less_of(cache_block, head_dim - first);
            for (std::size_t j = begin / (V * lanes) * (V * lanes); j < end; j += V * lanes)
                score<V>(j, first,
                         bytes.from_keys(ahead + (first * page_positions + j * dims) *
                                                     Keys::element_bits / 8));
        }
    }
};

} // namespace
} // namespace pillar::kernels
