// Attention over a page of the KV cache (attention_kernel.hpp) with vectors of 16 f32.

#include "attention.hpp"

#include "common/attention_kernel.hpp"

#include "pillar/core/elementary.hpp"

// g++ 12 takes the deliberately undefined operands of its own intrinsics for mistakes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace pillar::kernels::avx512 {
namespace {

struct Simd {
    using Floats = __m512;
    static constexpr std::size_t lanes = 16;
    static constexpr std::size_t max_queries = 8;
    template <std::size_t Q> // of few queries memory is waited for either way
    static constexpr std::size_t prefetch_bytes = (Q <= 2 ? 16 : 32) * 1024;
    static constexpr std::size_t exp_vectors = 8;
    // 32 registers: Q × V sums, V keys or values; the fma's latency wants 8 sums
    template <std::size_t Q>
    static constexpr std::size_t key_vectors = Q <= 2   ? 8
                                               : Q <= 4 ? 4
                                                        : 2;
    template <std::size_t Q>
    static constexpr std::size_t value_vectors = Q <= 4 ? 4 : 2;

    static Floats set1(float x) noexcept { return _mm512_set1_ps(x); }
    static Floats add(Floats a, Floats b) noexcept { return _mm512_add_ps(a, b); }
    static Floats sub(Floats a, Floats b) noexcept { return _mm512_sub_ps(a, b); }
    static Floats mul(Floats a, Floats b) noexcept { return _mm512_mul_ps(a, b); }
    static Floats div(Floats a, Floats b) noexcept { return _mm512_div_ps(a, b); }
    static Floats fma(Floats a, Floats b, Floats c) noexcept { return _mm512_fmadd_ps(a, b, c); }
    static Floats larger(Floats a, Floats b) noexcept { return _mm512_max_ps(a, b); }

    static __mmask16 first_lanes(std::size_t n) noexcept {
        return static_cast<__mmask16>(n >= lanes ? 0xFFFF : (1u << n) - 1);
    }
    static Floats load(const float* p) noexcept { return _mm512_loadu_ps(p); }
    static void store(float* p, Floats v) noexcept { _mm512_storeu_ps(p, v); }
    static Floats load_f16(const std::uint16_t* p) noexcept {
        return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    static Floats load_i8(const std::int8_t* p) noexcept {
        return _mm512_cvtepi32_ps(
            _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
    }
    static Floats load_first(const float* p, std::size_t n) noexcept {
        return _mm512_maskz_loadu_ps(first_lanes(n), p);
    }
    static void store_first(float* p, std::size_t n, Floats v) noexcept {
        _mm512_mask_storeu_ps(p, first_lanes(n), v);
    }
    static Floats load_first_f16(const std::uint16_t* p, std::size_t n) noexcept {
        return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_lanes(n), p));
    }
    static Floats load_first_i8(const std::int8_t* p, std::size_t n) noexcept {
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first_lanes(n), p)));
    }
    /// The high or low half of each byte, minus 8.
    static Floats halves_of(__m128i bytes, bool is_high) noexcept {
        const __m512i shifted =
            _mm512_srl_epi32(_mm512_cvtepu8_epi32(bytes), _mm_cvtsi32_si128(is_high ? 4 : 0));
        return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_and_si512(shifted, _mm512_set1_epi32(15)),
                                                   _mm512_set1_epi32(8)));
    }
    static Floats load_u4(const std::uint8_t* p, bool is_high) noexcept {
        return halves_of(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), is_high);
    }
    static Floats load_first_u4(const std::uint8_t* p, std::size_t n, bool is_high) noexcept {
        return halves_of(_mm_maskz_loadu_epi8(first_lanes(n), p), is_high);
    }
    static void prefetch(const char* p) noexcept { _mm_prefetch(p, _MM_HINT_T0); }

    static Floats first_or(Floats v, std::size_t n, Floats other) noexcept {
        return _mm512_mask_blend_ps(first_lanes(n), other, v);
    }
    static float max_lane(Floats v) noexcept {
        __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
        __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        four = _mm_max_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
    }
    /// (i, i+8), (i, i+4), (i, i+2), (i, i+1).
    static float sum_of_lanes(const Floats (&sums)[1]) noexcept {
        const __m256 eight =
            _mm256_add_ps(_mm512_castps512_ps256(sums[0]), _mm512_extractf32x8_ps(sums[0], 1));
        const __m128 four =
            _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    }

    /// exp_f32 of core/elementary.hpp with the same operations, for N vectors step by step: one
    /// alone is a chain that waits for itself.
    template <std::size_t N>
    static void exp_all(Floats (&x)[N]) noexcept {
        using namespace exp_f32_constants;
        const auto each = [](const auto& step) __attribute__((always_inline)) {
            for (std::size_t i = 0; i < N; ++i) step(i);
        };
        const Floats shift = set1(round_shift);
        Floats n[N], r[N], p[N];
        each([&](std::size_t i) { n[i] = fma(x[i], set1(log2_e), shift); });
        each([&](std::size_t i) { n[i] = sub(n[i], shift); });
        each([&](std::size_t i) { r[i] = fma(n[i], set1(-ln2_high), x[i]); });
        each([&](std::size_t i) { r[i] = fma(n[i], set1(-ln2_low), r[i]); });
        each([&](std::size_t i) { p[i] = fma(set1(c7), r[i], set1(c6)); });
        each([&](std::size_t i) { p[i] = fma(p[i], r[i], set1(c5)); });
        each([&](std::size_t i) { p[i] = fma(p[i], r[i], set1(c4)); });
        each([&](std::size_t i) { p[i] = fma(p[i], r[i], set1(c3)); });
        each([&](std::size_t i) { p[i] = fma(p[i], r[i], set1(c2)); });
        each([&](std::size_t i) { p[i] = fma(p[i], mul(r[i], r[i]), r[i]); });
        each([&](std::size_t i) { p[i] = add(p[i], set1(1.0f)); });
        each([&](std::size_t i) {
            const __m512i bias = _mm512_set1_epi32(127);
            const __m512i whole = _mm512_cvttps_epi32(n[i]);
            const __m512i half = _mm512_srai_epi32(whole, 1);
            const __m512i scale_a = _mm512_slli_epi32(_mm512_add_epi32(half, bias), 23);
            const __m512i scale_b =
                _mm512_slli_epi32(_mm512_add_epi32(_mm512_sub_epi32(whole, half), bias), 23);
            p[i] = mul(mul(p[i], _mm512_castsi512_ps(scale_a)), _mm512_castsi512_ps(scale_b));
        });
        each([&](std::size_t i) {
            Floats y = _mm512_mask_mov_ps(p[i], _mm512_cmp_ps_mask(x[i], set1(highest), _CMP_GT_OQ),
                                          set1(__builtin_inff()));
            y = _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x[i], set1(lowest), _CMP_LT_OQ),
                                   set1(0.0f));
            // NaN stays
            x[i] = _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x[i], x[i], _CMP_UNORD_Q), x[i]);
        });
    }
    static Floats exp_floats(Floats x) noexcept {
        Floats one[1] = {x};
        exp_all(one);
        return one[0];
    }
    static float exp_float(float x) noexcept { return _mm512_cvtss_f32(exp_floats(set1(x))); }
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

} // namespace pillar::kernels::avx512
