// Attention of one query head over one page of the KV cache, and how pages are put together.
// Scores: positions across lanes, the head dimension in order. Output: dimensions across lanes,
// positions in order. Up to 8 vectors are worked on at once, which hides the fma's latency.

#include "exp.hpp"
#include "lanes.hpp"
#include "operators.hpp"

namespace pillar::kernels::avx2 {
namespace {

struct F32Cache {
    using Element = float;
    static Floats load(const float* p) noexcept { return _mm256_loadu_ps(p); }
    static Floats load_first(const float* p, std::size_t n) noexcept {
        return avx2::load_first(p, n);
    }
};
struct F16Cache {
    using Element = std::uint16_t;
    static Floats load(const std::uint16_t* p) noexcept { return load_halves(p); }
    static Floats load_first(const std::uint16_t* p, std::size_t n) noexcept {
        if (n >= lanes) return load(p);
        std::uint16_t part[lanes] = {};
        for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
        return load(part);
    }
};

/// scores[j] = fma(q[d], k[d][j], scores[j]) over d in order, for V vectors of positions.
template <class Cache, std::size_t V>
inline void score(const float* query, const typename Cache::Element* keys, std::size_t head_dim,
                  float* scores) noexcept {
    Floats t[V];
    for (Floats& v : t) v = _mm256_setzero_ps();
    for (std::size_t d = 0; d < head_dim; ++d, keys += page_positions) {
        const Floats q = _mm256_set1_ps(query[d]);
        for (std::size_t v = 0; v < V; ++v)
            t[v] = _mm256_fmadd_ps(q, Cache::load(keys + lanes * v), t[v]);
    }
    for (std::size_t v = 0; v < V; ++v) _mm256_storeu_ps(scores + lanes * v, t[v]);
}

/// Positions beyond the visible ones are computed up to a whole vector and never used.
template <class Cache>
inline void score_page(const float* query, const typename Cache::Element* keys,
                       std::size_t head_dim, std::size_t n_visible, float* scores) noexcept {
    for (std::size_t j = 0; j < n_visible;) {
        const std::size_t left = (n_visible - j + lanes - 1) / lanes;
        if (left > 4) { // page_positions is a multiple of 64: never past the page
            score<Cache, 8>(query, keys + j, head_dim, scores + j);
            j += 8 * lanes;
        } else if (left > 2) {
            score<Cache, 4>(query, keys + j, head_dim, scores + j);
            j += 4 * lanes;
        } else {
            score<Cache, 2>(query, keys + j, head_dim, scores + j);
            j += 2 * lanes;
        }
    }
}

/// Scale the scores in place and find their maximum, −∞ if there is none. A NaN is none.
inline float scale_and_maximum(float* scores, std::size_t n_visible, float scale) noexcept {
    const Floats lowest = _mm256_set1_ps(-__builtin_inff());
    Floats m = lowest;
    for (std::size_t j = 0; j < n_visible; j += lanes) {
        const Floats s = _mm256_mul_ps(_mm256_loadu_ps(scores + j), _mm256_set1_ps(scale));
        _mm256_storeu_ps(scores + j, s);
        const Floats visible = _mm256_castsi256_ps(first_lanes(smaller(n_visible - j, lanes)));
        m = _mm256_max_ps(_mm256_blendv_ps(lowest, s, visible), m); // s > m ? s : m
    }
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

/// scores[j] = exp(scores[j] − m), +0 for invisible ones of the last vector; returns their sum.
inline float exponentials(float* scores, std::size_t n_visible, float m) noexcept {
    Floats sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (std::size_t j = 0; j < n_visible; j += lanes) {
        const Floats e = exp_floats(_mm256_sub_ps(_mm256_loadu_ps(scores + j), _mm256_set1_ps(m)));
        const Ints visible = first_lanes(smaller(n_visible - j, lanes));
        const Floats weight = _mm256_and_ps(e, _mm256_castsi256_ps(visible));
        _mm256_storeu_ps(scores + j, weight);
        Floats& sum = sums[j / lanes % 2];
        sum = _mm256_add_ps(sum, weight);
    }
    return sum_of_lanes(sums[0], sums[1]);
}

/// o[d] = fma(e_j, v[j][d], o[d]) over j in order, for V whole vectors of dimensions.
template <class Cache, std::size_t V>
inline void weigh(const float* weights, const typename Cache::Element* values, std::size_t head_dim,
                  std::size_t n_visible, float* o) noexcept {
    Floats sum[V];
    for (Floats& v : sum) v = _mm256_setzero_ps();
    for (std::size_t j = 0; j < n_visible; ++j, values += head_dim) {
        const Floats e = _mm256_set1_ps(weights[j]);
        for (std::size_t v = 0; v < V; ++v)
            sum[v] = _mm256_fmadd_ps(e, Cache::load(values + lanes * v), sum[v]);
    }
    for (std::size_t v = 0; v < V; ++v) _mm256_storeu_ps(o + lanes * v, sum[v]);
}

/// The last dimensions of a head whose size is no multiple of 8.
template <class Cache>
inline void weigh_rest(const float* weights, const typename Cache::Element* values,
                       std::size_t head_dim, std::size_t n_visible, std::size_t n,
                       float* o) noexcept {
    Floats sum = _mm256_setzero_ps();
    for (std::size_t j = 0; j < n_visible; ++j, values += head_dim)
        sum = _mm256_fmadd_ps(_mm256_set1_ps(weights[j]), Cache::load_first(values, n), sum);
    store_first(o, n, sum);
}

template <class Cache>
inline void weigh_page(const float* weights, const typename Cache::Element* values,
                       std::size_t head_dim, std::size_t n_visible, float* o) noexcept {
    std::size_t d = 0;
    for (; d + 8 * lanes <= head_dim; d += 8 * lanes)
        weigh<Cache, 8>(weights, values + d, head_dim, n_visible, o + d);
    for (; d + 4 * lanes <= head_dim; d += 4 * lanes)
        weigh<Cache, 4>(weights, values + d, head_dim, n_visible, o + d);
    for (; d + 2 * lanes <= head_dim; d += 2 * lanes)
        weigh<Cache, 2>(weights, values + d, head_dim, n_visible, o + d);
    for (; d < head_dim; d += lanes)
        weigh_rest<Cache>(weights, values + d, head_dim, n_visible, smaller(lanes, head_dim - d),
                          o + d);
}

template <class Cache>
PartialAttention attend(const float* query, const PageView& page, std::size_t head_dim,
                        std::size_t n_visible, float scale, float* scores, float* o) noexcept {
    using Element = typename Cache::Element;
    score_page<Cache>(query, static_cast<const Element*>(page.keys), head_dim, n_visible, scores);
    const float m = scale_and_maximum(scores, n_visible, scale);
    const float l = exponentials(scores, n_visible, m);
    weigh_page<Cache>(scores, static_cast<const Element*>(page.values), head_dim, n_visible, o);
    return {m, l, o};
}

} // namespace

PartialAttention attend_page(const float* query, const PageView& page, CacheType type,
                             std::size_t head_dim, std::size_t n_visible, float scale,
                             float* scores, float* o) noexcept {
    const auto attend_type = type == CacheType::f32 ? attend<F32Cache> : attend<F16Cache>;
    return attend_type(query, page, head_dim, n_visible, scale, scores, o);
}

void combine(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept {
    const float m = b.m > a.m ? b.m : a.m;
    const float factor_a = exp_float(a.m - m);
    const float factor_b = exp_float(b.m - m);
    a.m = m;
    a.l = __builtin_fmaf(b.l, factor_b, a.l * factor_a);
    for (std::size_t d = 0; d < head_dim; d += lanes) {
        const std::size_t n = head_dim - d;
        const Floats scaled = _mm256_mul_ps(load_first(a.o + d, n), _mm256_set1_ps(factor_a));
        store_first(a.o + d, n,
                    _mm256_fmadd_ps(load_first(b.o + d, n), _mm256_set1_ps(factor_b), scaled));
    }
}

void finish_attention(const PartialAttention& a, std::size_t head_dim, float* out) noexcept {
    const Floats r = _mm256_set1_ps(1.0f / a.l);
    for (std::size_t d = 0; d < head_dim; d += lanes)
        store_first(out + d, head_dim - d, _mm256_mul_ps(load_first(a.o + d, head_dim - d), r));
}

void store_kv(const float* key, const float* value, void* keys, void* values, CacheType type,
              std::size_t head_dim, std::size_t slot) noexcept {
    if (type == CacheType::f32) {
        float* column = static_cast<float*>(keys) + slot;
        for (std::size_t d = 0; d < head_dim; ++d) column[d * page_positions] = key[d];
        std::memcpy(static_cast<float*>(values) + slot * head_dim, value, head_dim * sizeof(float));
        return;
    }
    auto* column = static_cast<std::uint16_t*>(keys) + slot;
    auto* row = static_cast<std::uint16_t*>(values) + slot * head_dim;
    for (std::size_t d = 0; d < head_dim; d += lanes) {
        const std::size_t n = smaller(lanes, head_dim - d);
        std::uint16_t k[lanes], v[lanes];
        constexpr int to_nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        _mm_storeu_si128(reinterpret_cast<__m128i*>(k),
                         _mm256_cvtps_ph(load_first(key + d, n), to_nearest));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(v),
                         _mm256_cvtps_ph(load_first(value + d, n), to_nearest));
        for (std::size_t i = 0; i < n; ++i) column[(d + i) * page_positions] = k[i];
        std::memcpy(row + d, v, n * sizeof(std::uint16_t));
    }
}

} // namespace pillar::kernels::avx2
