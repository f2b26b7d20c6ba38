// Attention over a page of the KV cache (attention_kernel.hpp) with vectors of 8 f32.

#include "common/attention_kernel.hpp"
#include "exp.hpp"
#include "lanes.hpp"
#include "operators.hpp"

namespace pillar::kernels::avx2 {
namespace {

struct Simd {
    using Floats = avx2::Floats;
    static constexpr std::size_t lanes = avx2::lanes;
    static constexpr std::size_t max_queries = 6;
    template <std::size_t Q>
    static constexpr std::size_t prefetch_bytes = 16 * 1024;
    static constexpr std::size_t exp_vectors = 2;
    // 16 registers: Q × V sums, V keys or values, one broadcast; 8 sums hide the fma's latency
    template <std::size_t Q>
    static constexpr std::size_t key_vectors = Q == 1   ? 8
                                               : Q <= 3 ? 4
                                                        : 2;
    template <std::size_t Q>
    static constexpr std::size_t value_vectors = Q == 1   ? 8
                                                 : Q <= 3 ? 4
                                                          : 2;

    static Floats set1(float x) noexcept { return _mm256_set1_ps(x); }
    static Floats add(Floats a, Floats b) noexcept { return _mm256_add_ps(a, b); }
    static Floats sub(Floats a, Floats b) noexcept { return _mm256_sub_ps(a, b); }
    static Floats mul(Floats a, Floats b) noexcept { return _mm256_mul_ps(a, b); }
    static Floats div(Floats a, Floats b) noexcept { return _mm256_div_ps(a, b); }
    static Floats fma(Floats a, Floats b, Floats c) noexcept { return _mm256_fmadd_ps(a, b, c); }
    static Floats exp_floats(Floats x) noexcept { return avx2::exp_floats(x); }
    static void exp_all(Floats (&x)[exp_vectors]) noexcept {
        for (Floats& v : x) v = exp_floats(v);
    }
    static float exp_float(float x) noexcept { return avx2::exp_float(x); }

    static Floats load(const float* p) noexcept { return _mm256_loadu_ps(p); }
    static void store(float* p, Floats v) noexcept { _mm256_storeu_ps(p, v); }
    static Floats load_f16(const std::uint16_t* p) noexcept { return load_halves(p); }
    static Floats load_i8(const std::int8_t* p) noexcept {
        return _mm256_cvtepi32_ps(
            _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
    }
    static Floats load_first(const float* p, std::size_t n) noexcept {
        return avx2::load_first(p, n);
    }
    static void store_first(float* p, std::size_t n, Floats v) noexcept {
        avx2::store_first(p, n, v);
    }
    static Floats load_first_f16(const std::uint16_t* p, std::size_t n) noexcept {
        std::uint16_t part[lanes] = {};
        for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
        return load_f16(part);
    }
    static Floats load_first_i8(const std::int8_t* p, std::size_t n) noexcept {
        std::int8_t part[lanes] = {};
        for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
        return load_i8(part);
    }

    /// The high or low half of each of eight bytes, minus 8.
    static Floats halves_of(__m128i bytes, bool is_high) noexcept {
        const __m256i shifted =
            _mm256_srl_epi32(_mm256_cvtepu8_epi32(bytes), _mm_cvtsi32_si128(is_high ? 4 : 0));
        return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_and_si256(shifted, _mm256_set1_epi32(15)),
                                                   _mm256_set1_epi32(8)));
    }
    static Floats load_u4(const std::uint8_t* p, bool is_high) noexcept {
        return halves_of(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), is_high);
    }
    static Floats load_first_u4(const std::uint8_t* p, std::size_t n, bool is_high) noexcept {
        std::uint8_t part[lanes] = {};
        for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
        return load_u4(part, is_high);
    }

    static void prefetch(const char* p) noexcept { _mm_prefetch(p, _MM_HINT_T0); }

    static Floats first_or(Floats v, std::size_t n, Floats other) noexcept {
        return _mm256_blendv_ps(other, v, _mm256_castsi256_ps(first_lanes(n)));
    }
    static Floats larger(Floats a, Floats b) noexcept { return _mm256_max_ps(a, b); }
    static float max_lane(Floats v) noexcept {
        __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        four = _mm_max_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
    }
    static float sum_of_lanes(const Floats (&sums)[2]) noexcept {
        return avx2::sum_of_lanes(sums[0], sums[1]);
    }
};

} // namespace

void attend_page(PageQuery* queries, std::size_t n_queries, const PageView& page, CacheTypes types,
                 std::size_t head_dim, ScoreRule rule, float* scores) noexcept {
    attend_page_with<Simd>(queries, n_queries, page, types, head_dim, rule, scores);
}

void combine(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept {
    combine_with<Simd>(a, b, head_dim);
}

void finish_attention(const PartialAttention& a, std::size_t head_dim, float* out) noexcept {
    finish_attention_with<Simd>(a, head_dim, out);
}

} // namespace pillar::kernels::avx2
