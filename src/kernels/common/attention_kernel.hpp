#pragma once
// Attention of several queries over one page, written once for all instruction sets. A family
// supplies its vectors as a struct `Simd`:
//   Floats, lanes          a vector of f32 and how many it holds; 16 is a multiple of it
//   max_queries           queries worked on at a time
//   key_vectors<Q>         vectors of positions (value_vectors<Q>: of dimensions) beside Q queries,
//                          so that Q × V sums and what they need fit the registers
//   set1 add sub mul div fma larger exp_floats; larger(a, b) is a > b ? a : b
//   load load_f16 load_i8  as f32; load_u4(p, is_high): half a byte each, minus 8; load_first…(p,
//   n)
//                          touch n elements and give +0 (of load_first_u4 −8) in the rest
//   store store_first
//   first_or(v, n, other)  v in the first n lanes, `other` in the rest
//   max_lane(v), sum_of_lanes(v[16 / lanes]), exp_float(x)
//   prefetch(p)            wherever p points
//   exp_all(v[exp_vectors])  exp of each, in place; a multiple of 16 numbers
//   prefetch_bytes<Q>      how far ahead of what is read
// Scores: positions across lanes, the head dimension in order. Output: dimensions across lanes,
// positions in order. Keys and values are widened once for Q queries. Like everything compiled for
// one instruction set this has internal linkage and calls no inline function of another header.

#include "cached_pages.hpp"
#include "page_scores.hpp"
#include "page_sums.hpp"
#include "score_weights.hpp"

namespace pillar::kernels {
namespace {

/// One page and what is to be done with it.
struct PageWork {
    const PageView& view;
    CacheTypes types;
    std::size_t head_dim;
    ScoreRule rule;
    float* scores;
    PageBytes bytes;
};

template <class Simd, std::size_t Q, class Keys>
void score_with(const PageWork& work, const PageQuery* queries, Positions seen) noexcept {
    const Keys keys(work.view.keys, work.head_dim);
    PageScores<Simd, Keys, Q>{keys, work.bytes, work.head_dim, queries, work.scores}.score_all(
        seen.begin, seen.end);
}

template <class Simd, std::size_t Q, class Values>
void weigh_with(const PageWork& work, PageQuery* queries, Positions common) noexcept {
    const Values values(work.view.values, work.head_dim);
    PageSums<Simd, Values, Q>{values, work.bytes, work.head_dim, queries, work.scores}
        .weigh_visible(common);
}

template <class Simd, std::size_t Q>
void score_page(const PageWork& work, const PageQuery* queries, Positions seen) noexcept {
    switch (work.types.keys) {
    case CacheType::f32:
        return score_with<Simd, Q, PlainKeys<Simd, float>>(work, queries, seen);
    case CacheType::f16:
        return score_with<Simd, Q, PlainKeys<Simd, std::uint16_t>>(work, queries, seen);
    case CacheType::q8_0:
        return score_with<Simd, Q, Q8Keys<Simd>>(work, queries, seen);
    case CacheType::q4_0:
        return score_with<Simd, Q, Q4Keys<Simd>>(work, queries, seen);
    }
}

template <class Simd, std::size_t Q>
void weigh_page(const PageWork& work, PageQuery* queries, Positions common) noexcept {
    switch (work.types.values) {
    case CacheType::f32:
        return weigh_with<Simd, Q, PlainValues<Simd, float>>(work, queries, common);
    case CacheType::f16:
        return weigh_with<Simd, Q, PlainValues<Simd, std::uint16_t>>(work, queries, common);
    case CacheType::q8_0:
        return weigh_with<Simd, Q, Q8Values<Simd>>(work, queries, common);
    case CacheType::q4_0:
        return weigh_with<Simd, Q, Q4Values<Simd>>(work, queries, common);
    }
}

/// Q neighbouring queries over the page.
template <class Simd, std::size_t Q>
void attend(const PageWork& work, PageQuery* queries) noexcept {
    using Weights = ScoreWeights<Simd>;
    Positions seen{page_positions, 0}, common{0, page_positions};
    for (std::size_t q = 0; q < Q; ++q) {
        const std::size_t begin = queries[q].first_visible, end = queries[q].n_visible;
        if (begin < seen.begin) seen.begin = begin;
        if (end > seen.end) seen.end = end;
        if (begin > common.begin) common.begin = begin;
        if (end < common.end) common.end = end;
    }
    // A page that is not full has too few steps to ask for what comes next.
    if (seen.end - seen.begin < page_positions && work.bytes.next_page != work.bytes.keys)
        for (std::size_t i = 0; i < Simd::template prefetch_bytes<Q>; i += 64) {
            Simd::prefetch(work.bytes.next_page + i);
            asm volatile(""); // g++ 12 removes loops of nothing but prefetches
        }
    score_page<Simd, Q>(work, queries, seen);
    for (std::size_t q = 0; q < Q; ++q) {
        const std::size_t begin = queries[q].first_visible, end = queries[q].n_visible;
        float* const s = work.scores + q * page_positions;
        queries[q].part.m = Weights::scale_and_maximum(s, begin, end, work.rule);
        queries[q].part.l = Weights::exponentials(s, begin, end, queries[q].part.m);
    }
    weigh_page<Simd, Q>(work, queries, common);
}

/// The next `count` ≤ Q queries.
template <class Simd, std::size_t Q>
void attend_some(const PageWork& work, PageQuery* queries, std::size_t count) noexcept {
    if constexpr (Q > 1)
        if (count < Q) return attend_some<Simd, Q - 1>(work, queries, count);
    attend<Simd, Q>(work, queries);
}

constexpr std::size_t element_bits(CacheType type) noexcept {
    return type == CacheType::f32    ? 32
           : type == CacheType::f16  ? 16
           : type == CacheType::q8_0 ? 8
                                     : 4;
}

/// Family::attend_page.
template <class Simd>
void attend_page_with(PageQuery* queries, std::size_t n_queries, const PageView& page,
                      CacheTypes types, std::size_t head_dim, ScoreRule rule,
                      float* scores) noexcept {
    static_assert(Simd::max_queries <= queries_at_once);
    const auto* const keys = static_cast<const char*>(page.keys);
    PageWork work{page,
                  types,
                  head_dim,
                  rule,
                  scores,
                  {keys, static_cast<const char*>(page.values), keys,
                   head_dim * page_positions * element_bits(types.keys) / 8,
                   head_dim * page_positions * element_bits(types.values) / 8}};
    const std::size_t n_parts = (n_queries + Simd::max_queries - 1) / Simd::max_queries;
    for (std::size_t i = 0; i < n_parts; ++i) { // parts of about the same size
        const std::size_t begin = i * n_queries / n_parts, end = (i + 1) * n_queries / n_parts;
        if (page.next != nullptr && end == n_queries)
            work.bytes.next_page = static_cast<const char*>(page.next);
        attend_some<Simd, Simd::max_queries>(work, queries + begin, end - begin);
    }
}

} // namespace
} // namespace pillar::kernels
