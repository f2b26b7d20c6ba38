#pragma once
// Attention of several queries over one page, written once for all instruction sets. A family
// supplies its vectors as a struct `Simd`:
//   Floats, lanes          a vector of f32 and how many it holds; 16 is a multiple of it
//   max_queries           queries worked on at a time
//   key_vectors<Q>         vectors of positions (value_vectors<Q>: of dimensions) beside Q queries,
//                          so that Q × V sums and what they need fit the registers
//   set1 add sub mul div fma larger exp_floats; larger(a, b) is a > b ? a : b
//   load load_f16 load_i8  as f32; load_first… (p, n) touch n elements and give +0 in the rest
//   store store_first
//   first_or(v, n, other)  v in the first n lanes, `other` in the rest
//   max_lane(v), sum_of_lanes(v[16 / lanes]), exp_float(x)
//   prefetch(p)            wherever p points
//   exp_all(v[exp_vectors])  exp of each, in place; a multiple of 16 numbers
//   prefetch_bytes<Q>      how far ahead of what is read
// Scores: positions across lanes, the head dimension in order. Output: dimensions across lanes,
// positions in order. Keys and values are widened once for Q queries. Like everything compiled for
// one instruction set this has internal linkage and calls no inline function of another header.

#include "attention_parts.hpp"
#include "cached_pages.hpp"
#include "score_weights.hpp"

#include <utility>

namespace pillar::kernels {
namespace {

/// step(0) … step(n − 1) written out, so that arrays which the steps index are registers.
template <std::size_t n, class Step>
[[gnu::always_inline]] inline void written_out(const Step& step) noexcept {
    [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
        (step(i), ...);
    }
    (std::make_index_sequence<n>());
}

/// step(q, v) for Q queries × V vectors.
template <std::size_t Q, std::size_t V, class Step>
[[gnu::always_inline]] inline void written_out(const Step& step) noexcept {
    written_out<Q * V>([&](std::size_t i) __attribute__((always_inline)) { step(i / V, i % V); });
}

/// Positions [begin, end) of a page.
struct Positions {
    std::size_t begin, end;
};

/// Q neighbouring queries over one page of type Page.
template <class Simd, class Page, std::size_t Q>
struct PageAttention {
    using Floats = typename Simd::Floats;
    using Weights = ScoreWeights<Simd>;
    static constexpr std::size_t lanes = Simd::lanes;

    const Page& page;
    PageQuery* queries;    ///< (Q)
    float* scores;         ///< (Q, 256)
    const char* next_page; ///< what is read after this page

    /// What is read prefetch_bytes after element `progress` of the page: its values come
    /// after its keys, then the next page.
    const char* ahead_of(std::size_t progress) const noexcept {
        const std::size_t half = page.head_dim * page_positions * Page::element_bytes;
        const std::size_t at = progress * Page::element_bytes + Simd::template prefetch_bytes<Q>;
        if (at < half) return reinterpret_cast<const char*>(page.keys) + at;
        if (at < 2 * half) return reinterpret_cast<const char*>(page.values) + (at - half);
        return next_page + (at - 2 * half);
    }

    /// Bytes of V vectors in the cache: what one step of a loop asks for.
    template <std::size_t V>
    static constexpr std::size_t step_bytes = V* lanes* Page::element_bytes;

    template <std::size_t V>
    static void prefetch(const char* p) noexcept {
        for (std::size_t i = 0; i < step_bytes<V>; i += 64) Simd::prefetch(p + i);
    }

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
        typename Page::KeyScales scales[V];
        written_out<V>([&](Index v) __attribute__((always_inline)) {
            scales[v] = page.key_scales(first / cache_block, j + v * lanes);
        });
        const float* query[Q];
        written_out<Q>([&](Index q)
                           __attribute__((always_inline)) { query[q] = queries[q].query; });
        const std::size_t end = less_of(first + cache_block, page.head_dim);
        for (std::size_t d = first; d < end; ++d) {
            prefetch<V>(ahead + (d - first) * step_bytes<V>);
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
        for (std::size_t first = 0; first < page.head_dim; first += cache_block) {
            const std::size_t dims = less_of(cache_block, page.head_dim - first);
            for (std::size_t j = begin / (V * lanes) * (V * lanes); j < end; j += V * lanes)
                score<V>(j, first, ahead_of(first * page_positions + j * dims));
        }
    }

    /// o[q][d] = fma(e_j, v[j][d], o[q][d]) over positions [begin, end) in order, for V whole
    /// vectors of dimensions; from +0 where they are the first.
    template <std::size_t V>
    void weigh(std::size_t d, std::size_t begin, std::size_t end, bool from_zero, const char* ahead,
               const typename Page::ValueScales& scales) const noexcept {
        using Index = std::size_t;
        Floats sum[Q][V];
        if (from_zero)
            written_out<Q, V>([&](Index q, Index v)
                                  __attribute__((always_inline)) { sum[q][v] = Simd::set1(0.0f); });
        else
            written_out<Q, V>([&](Index q, Index v) __attribute__((always_inline)) {
                sum[q][v] = Simd::load(queries[q].part.o + d + v * lanes);
            });
        for (std::size_t j = begin; j < end; ++j) {
            prefetch<V>(ahead + (j - begin) * step_bytes<V>);
            Floats values[V];
            written_out<V>([&](Index v) __attribute__((always_inline)) {
                values[v] = page.value(j, d + v * lanes, scales);
            });
            written_out<Q>([&](Index q) __attribute__((always_inline)) {
                const Floats e = Simd::set1(scores[q * page_positions + j]);
                written_out<V>([&](Index v) __attribute__((always_inline)) {
                    sum[q][v] = Simd::fma(e, values[v], sum[q][v]);
                });
            });
        }
        written_out<Q, V>([&](Index q, Index v) __attribute__((always_inline)) {
            Simd::store(queries[q].part.o + d + v * lanes, sum[q][v]);
        });
    }

    /// The same for n dimensions, less than a vector.
    void weigh_rest(std::size_t d, std::size_t n, std::size_t begin, std::size_t end,
                    bool from_zero, const typename Page::ValueScales& scales) const noexcept {
        Floats sum[Q];
        for (std::size_t q = 0; q < Q; ++q)
            sum[q] = from_zero ? Simd::set1(0.0f) : Simd::load_first(queries[q].part.o + d, n);
        for (std::size_t j = begin; j < end; ++j) {
            const Floats values = page.first_values(j, d, n, scales);
            for (std::size_t q = 0; q < Q; ++q)
                sum[q] = Simd::fma(Simd::set1(scores[q * page_positions + j]), values, sum[q]);
        }
        for (std::size_t q = 0; q < Q; ++q) Simd::store_first(queries[q].part.o + d, n, sum[q]);
    }

    /// All dimensions over positions [begin, end), which all Q queries see, a few positions at a
    /// time, which are one stretch of memory; from +0 where they are the first.
    void weigh_all(std::size_t begin, std::size_t end, bool from_zero) const noexcept {
        constexpr std::size_t V =
            less_of(Simd::template value_vectors<Q>, Page::value_block / lanes);
        constexpr std::size_t positions_at_once = 64;
        for (std::size_t here = begin; here < end; here += positions_at_once) {
            const std::size_t until = less_of(here + positions_at_once, end);
            const bool is_start = from_zero && here == begin;
            const char* ahead = ahead_of((page_positions + here) * page.head_dim);
            for (std::size_t first = 0; first < page.head_dim; first += Page::value_block) {
                const typename Page::ValueScales scales(page, first / cache_block, here, until);
                const std::size_t last = less_of(first + Page::value_block, page.head_dim);
                std::size_t d = first;
                for (; d + V * lanes <= last; d += V * lanes) {
                    weigh<V>(d, here, until, is_start, ahead, scales);
                    ahead += (until - here) * step_bytes<V>;
                }
                for (; d + lanes <= last; d += lanes) {
                    weigh<1>(d, here, until, is_start, ahead, scales);
                    ahead += (until - here) * step_bytes<1>;
                }
                if (d < last) weigh_rest(d, last - d, here, until, is_start, scales);
            }
        }
    }

    /// One of the queries alone.
    [[nodiscard]] PageAttention<Simd, Page, 1> alone(std::size_t q) const noexcept {
        return {page, queries + q, scores + q * page_positions, next_page};
    }

    /// Values of all queries' visible positions: what all see together, what some see before and
    /// behind it each alone, every query's positions in order.
    void weigh_visible(Positions common) const noexcept {
        if constexpr (Q > 1) {
            if (common.begin >= common.end) { // some see nothing of what others see
                for (std::size_t q = 0; q < Q; ++q)
                    alone(q).weigh_all(queries[q].first_visible, queries[q].n_visible, true);
                return;
            }
            bool same_begin = true;
            for (std::size_t q = 0; q < Q; ++q)
                same_begin = same_begin && queries[q].first_visible == common.begin;
            for (std::size_t q = 0; !same_begin && q < Q; ++q) {
                for (std::size_t d = 0; d < page.head_dim; ++d) queries[q].part.o[d] = 0.0f;
                if (queries[q].first_visible < common.begin)
                    alone(q).weigh_all(queries[q].first_visible, common.begin, true);
            }
            weigh_all(common.begin, common.end, same_begin);
            for (std::size_t q = 0; q < Q; ++q)
                if (queries[q].n_visible > common.end)
                    alone(q).weigh_all(common.end, queries[q].n_visible, false);
        } else {
            weigh_all(common.begin, common.end, true);
        }
    }

    void run(ScoreRule rule) const noexcept {
        Positions seen{page_positions, 0}, common{0, page_positions};
        for (std::size_t q = 0; q < Q; ++q) {
            const std::size_t begin = queries[q].first_visible, end = queries[q].n_visible;
            if (begin < seen.begin) seen.begin = begin;
            if (end > seen.end) seen.end = end;
            if (begin > common.begin) common.begin = begin;
            if (end < common.end) common.end = end;
        }
        // A page that is not full has too few steps to ask for what comes next.
        if (seen.end - seen.begin < page_positions &&
            next_page != reinterpret_cast<const char*>(page.keys))
            for (std::size_t i = 0; i < Simd::template prefetch_bytes<Q>; i += 64) {
                Simd::prefetch(next_page + i);
                asm volatile(""); // g++ 12 removes loops of nothing but prefetches
            }
        score_all(seen.begin, seen.end);
        for (std::size_t q = 0; q < Q; ++q) {
            const std::size_t begin = queries[q].first_visible, end = queries[q].n_visible;
            float* const s = scores + q * page_positions;
            queries[q].part.m = Weights::scale_and_maximum(s, begin, end, rule);
            queries[q].part.l = Weights::exponentials(s, begin, end, queries[q].part.m);
        }
        weigh_visible(common);
    }
};

/// The next `count` ≤ Q queries.
template <class Simd, class Page, std::size_t Q>
void attend_some(const Page& page, PageQuery* queries, std::size_t count, ScoreRule rule,
                 float* scores, const char* next_page) noexcept {
    if constexpr (Q > 1)
        if (count < Q)
            return attend_some<Simd, Page, Q - 1>(page, queries, count, rule, scores, next_page);
    PageAttention<Simd, Page, Q>{page, queries, scores, next_page}.run(rule);
}

template <class Simd, class Page>
void attend_in_parts(const PageView& view, PageQuery* queries, std::size_t n_queries,
                     std::size_t head_dim, ScoreRule rule, float* scores) noexcept {
    static_assert(Simd::max_queries <= queries_at_once);
    const Page page(view, head_dim);
    const std::size_t n_parts = (n_queries + Simd::max_queries - 1) / Simd::max_queries;
    for (std::size_t i = 0; i < n_parts; ++i) { // parts of about the same size
        const std::size_t begin = i * n_queries / n_parts, end = (i + 1) * n_queries / n_parts;
        const auto* const next_page = static_cast<const char*>(
            view.next != nullptr && end == n_queries ? view.next : view.keys);
        attend_some<Simd, Page, Simd::max_queries>(page, queries + begin, end - begin, rule, scores,
                                                   next_page);
    }
}

/// Family::attend_page.
template <class Simd>
void attend_page_with(PageQuery* queries, std::size_t n_queries, const PageView& page,
                      CacheType type, std::size_t head_dim, ScoreRule rule,
                      float* scores) noexcept {
    switch (type) {
    case CacheType::f32:
        return attend_in_parts<Simd, PlainPage<Simd, float>>(page, queries, n_queries, head_dim,
                                                             rule, scores);
    case CacheType::f16:
        return attend_in_parts<Simd, PlainPage<Simd, std::uint16_t>>(page, queries, n_queries,
                                                                     head_dim, rule, scores);
    case CacheType::q8_0:
        return attend_in_parts<Simd, Q8Page<Simd>>(page, queries, n_queries, head_dim, rule,
                                                   scores);
    }
}

} // namespace
} // namespace pillar::kernels
