#pragma once
// The values of one page times the weights of their positions (attention_kernel.hpp).

#include "page_loops.hpp"

namespace pillar::kernels {
namespace {

/// Sums of the values of one page, weighted for Q neighbouring queries.
template <class Simd, class Values, std::size_t Q>
struct PageSums {
    using Floats = typename Simd::Floats;
    static constexpr std::size_t lanes = Simd::lanes;

    const Values& page;
    const PageBytes& bytes;
    std::size_t head_dim;
    PageQuery* queries;  ///< (Q)
    const float* scores; ///< (Q, 256): the weights

    /// Bytes of V vectors in the cache: what one step of a loop asks for.
    template <std::size_t V>
    static constexpr std::size_t step_bytes = V* lanes* Values::element_bits / 8;

    /// o[q][d] = fma(e_j, v[j][d], o[q][d]) over positions [begin, end) in order, for V whole
    /// vectors of dimensions; from +0 where they are the first.
    template <std::size_t V>
    void weigh(std::size_t d, std::size_t begin, std::size_t end, bool from_zero, const char* ahead,
               const typename Values::Scales& scales) const noexcept {
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
            prefetch_all<Simd>(ahead + (j - begin) * step_bytes<V>, step_bytes<V>);
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
                    bool from_zero, const typename Values::Scales& scales) const noexcept {
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
        constexpr std::size_t V = less_of(Simd::template value_vectors<Q>, Values::block / lanes);
        constexpr std::size_t positions_at_once = 64;
        for (std::size_t here = begin; here < end; here += positions_at_once) {
            const std::size_t until = less_of(here + positions_at_once, end);
            const bool is_start = from_zero && here == begin;
            const char* ahead = bytes.from_values(Simd::template prefetch_bytes<Q> +
                                                  here * head_dim * Values::element_bits / 8);
            for (std::size_t first = 0; first < head_dim; first += Values::block) {
                const typename Values::Scales scales(page, first / cache_block, here, until);
                const std::size_t last = less_of(first + Values::block, head_dim);
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
    [[nodiscard]] PageSums<Simd, Values, 1> alone(std::size_t q) const noexcept {
        return {page, bytes, head_dim, queries + q, scores + q * page_positions};
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
                for (std::size_t d = 0; d < head_dim; ++d) queries[q].part.o[d] = 0.0f;
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
};

} // namespace
} // namespace pillar::kernels
