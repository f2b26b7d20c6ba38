#pragma once
// exp_f32 of core/elementary.hpp, four lanes at a time with the same operations.

#include "neon/simd.hpp"

#include "pillar/core/elementary.hpp"

namespace pillar::kernels::neon {
namespace {

inline Floats exp_floats(Floats x) noexcept {
    using namespace exp_f32_constants;
    const Floats shift = vdupq_n_f32(round_shift);
    const Floats n = vsubq_f32(vfmaq_f32(shift, x, vdupq_n_f32(log2_e)), shift);
    Floats r = vfmaq_f32(x, n, vdupq_n_f32(-ln2_high));
    r = vfmaq_f32(r, n, vdupq_n_f32(-ln2_low));
    Floats p = vfmaq_f32(vdupq_n_f32(c6), vdupq_n_f32(c7), r);
    p = vfmaq_f32(vdupq_n_f32(c5), p, r);
    p = vfmaq_f32(vdupq_n_f32(c4), p, r);
    p = vfmaq_f32(vdupq_n_f32(c3), p, r);
    p = vfmaq_f32(vdupq_n_f32(c2), p, r);
    p = vaddq_f32(vfmaq_f32(r, p, vmulq_f32(r, r)), vdupq_n_f32(1.0f));

    const Ints bias = vdupq_n_s32(127);
    const Ints whole = vcvtq_s32_f32(n);
    const Ints half = vshrq_n_s32(whole, 1);
    const Ints scale_a = vshlq_n_s32(vaddq_s32(half, bias), 23);
    const Ints scale_b = vshlq_n_s32(vaddq_s32(vsubq_s32(whole, half), bias), 23);
    Floats y =
        vmulq_f32(vmulq_f32(p, vreinterpretq_f32_s32(scale_a)), vreinterpretq_f32_s32(scale_b));

    const Floats infinity = vreinterpretq_f32_u32(vdupq_n_u32(0x7F800000u));
    y = vbslq_f32(vcgtq_f32(x, vdupq_n_f32(highest)), infinity, y);
    y = vbslq_f32(vcltq_f32(x, vdupq_n_f32(lowest)), vdupq_n_f32(0.0f), y);
    return vbslq_f32(vceqq_f32(x, x), y, x); // NaN stays
}

/// The same for one number.
inline float exp_float(float x) noexcept {
    return vgetq_lane_f32(exp_floats(vdupq_n_f32(x)), 0);
}

} // namespace
} // namespace pillar::kernels::neon
