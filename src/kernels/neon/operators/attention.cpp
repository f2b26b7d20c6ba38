// Attention over a page of the KV cache (attention_kernel.hpp) with vectors of 4 f32. A Cortex-A72
// widens f16 but does not calculate with it.

#include "common/attention_kernel.hpp"
#include "exp.hpp"
#include "lanes.hpp"
#include "operators.hpp"

namespace pillar::kernels::neon {
namespace {

struct Simd {
    using Floats = neon::Floats;
    static constexpr std::size_t lanes = neon::lanes;
    static constexpr std::size_t max_queries = 6;
    template <std::size_t Q>
    static constexpr std::size_t prefetch_bytes = 16 * 1024;
    static constexpr std::size_t exp_vectors = 4;
    // 32 registers: Q × V sums, V keys or values, one broadcast; 8 sums hide the fma's latency
    template <std::size_t Q>
    static constexpr std::size_t key_vectors = Q == 1 ? 8 : 4;
    template <std::size_t Q>
    static constexpr std::size_t value_vectors = key_vectors<Q>;

    static Floats set1(float x) noexcept { return vdupq_n_f32(x); }
    static Floats add(Floats a, Floats b) noexcept { return vaddq_f32(a, b); }
    static Floats sub(Floats a, Floats b) noexcept { return vsubq_f32(a, b); }
    static Floats mul(Floats a, Floats b) noexcept { return vmulq_f32(a, b); }
    static Floats div(Floats a, Floats b) noexcept { return vdivq_f32(a, b); }
    static Floats fma(Floats a, Floats b, Floats c) noexcept { return vfmaq_f32(c, a, b); }
    static Floats exp_floats(Floats x) noexcept { return neon::exp_floats(x); }
    static void exp_all(Floats (&x)[exp_vectors]) noexcept {
        for (Floats& v : x) v = exp_floats(v);
    }
    static float exp_float(float x) noexcept { return neon::exp_float(x); }

    static Floats load(const float* p) noexcept { return vld1q_f32(p); }
    static void store(float* p, Floats v) noexcept { vst1q_f32(p, v); }
    static Floats load_f16(const std::uint16_t* p) noexcept { return load_halves(p); }
    static Floats load_i8(const std::int8_t* p) noexcept {
        std::int32_t four;
        std::memcpy(&four, p, sizeof four);
        const int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
        return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
    }
    static Floats load_first(const float* p, std::size_t n) noexcept {
        return neon::load_first(p, n);
    }
    static void store_first(float* p, std::size_t n, Floats v) noexcept {
        neon::store_first(p, n, v);
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

    /// The high or low half of each byte, minus 8.
    static Floats load_u4(const std::uint8_t* p, bool is_high) noexcept {
        std::uint32_t four;
        std::memcpy(&four, p, sizeof four);
        const uint8x8_t halves =
            vand_u8(vshl_u8(vreinterpret_u8_u32(vdup_n_u32(four)), vdup_n_s8(is_high ? -4 : 0)),
                    vdup_n_u8(15));
        const int16x8_t wide = vreinterpretq_s16_u16(vsubl_u8(halves, vdup_n_u8(8)));
        return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
    }
    static Floats load_first_u4(const std::uint8_t* p, std::size_t n, bool is_high) noexcept {
        std::uint8_t part[lanes] = {};
        for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
        return load_u4(part, is_high);
    }

    static void prefetch(const char* p) noexcept { __builtin_prefetch(p, 0, 3); }

    static Floats first_or(Floats v, std::size_t n, Floats other) noexcept {
        constexpr std::uint32_t number[lanes] = {0, 1, 2, 3};
        const uint32x4_t first =
            vcltq_u32(vld1q_u32(number), vdupq_n_u32(static_cast<std::uint32_t>(n)));
        return vbslq_f32(first, v, other);
    }
    static Floats larger(Floats a, Floats b) noexcept { return vbslq_f32(vcgtq_f32(a, b), a, b); }
    static float max_lane(Floats v) noexcept { return vmaxvq_f32(v); } // no lane is a NaN
    static float sum_of_lanes(const Floats (&sums)[n_lane_vectors]) noexcept {
        return neon::sum_of_lanes(sums);
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

} // namespace pillar::kernels::neon
