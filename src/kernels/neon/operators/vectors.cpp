// Operators on vectors: norm, rotation, gate, residual.

#include "exp.hpp"
#include "gelu.hpp"
#include "lanes.hpp"
#include "operators.hpp"

namespace pillar::kernels::neon {

float sum_of_squares(const float* x, std::size_t n) noexcept {
    Floats sums[n_lane_vectors];
    for (Floats& sum : sums) sum = vdupq_n_f32(0.0f);
    std::size_t i = 0;
    for (; i + n_lane_vectors * lanes <= n; i += n_lane_vectors * lanes) {
        for (std::size_t v = 0; v < n_lane_vectors; ++v) {
            const Floats a = vld1q_f32(x + i + lanes * v);
            sums[v] = vfmaq_f32(sums[v], a, a);
        }
    }
    for (std::size_t v = 0; i < n; i += lanes, ++v) { // lanes beyond the end add 0 · 0: no change
        const Floats a = load_first(x + i, n - i);
        sums[v] = vfmaq_f32(sums[v], a, a);
    }
    return sum_of_lanes(sums);
}

void rms_norm(const float* x, const float* weight, std::size_t n, float eps, float* out) noexcept {
    const float mean = sum_of_squares(x, n) / static_cast<float>(n);
    const float r = 1.0f / __builtin_sqrtf(mean + eps);
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats scaled = vmulq_n_f32(load_first(x + i, n - i), r);
        store_first(out + i, n - i, vmulq_f32(scaled, load_first(weight + i, n - i)));
    }
}

void rope(float* head, const float* cosine, const float* sine, std::size_t n_pairs) noexcept {
    std::size_t i = 0;
    for (; i + lanes <= n_pairs; i += lanes) {
        const float32x4x2_t x = vld2q_f32(head + 2 * i); // the a's, the b's
        const Floats c = vld1q_f32(cosine + i);
        const Floats s = vld1q_f32(sine + i);
        const Floats a = vfmsq_f32(vmulq_f32(x.val[0], c), x.val[1], s);
        const Floats b = vfmaq_f32(vmulq_f32(x.val[1], c), x.val[0], s);
        vst2q_f32(head + 2 * i, float32x4x2_t{{a, b}});
    }
    for (; i < n_pairs; ++i) {
        const float a = head[2 * i];
        const float b = head[2 * i + 1];
        head[2 * i] = __builtin_fmaf(-b, sine[i], a * cosine[i]);
        head[2 * i + 1] = __builtin_fmaf(a, sine[i], b * cosine[i]);
    }
}

void swiglu(const float* gate, const float* up, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats g = load_first(gate + i, n - i);
        const Floats e = exp_floats(vnegq_f32(g));
        const Floats gated = vdivq_f32(g, vaddq_f32(vdupq_n_f32(1.0f), e));
        store_first(out + i, n - i, vmulq_f32(gated, load_first(up + i, n - i)));
    }
}

void geglu(const float* gate, const float* up, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats g = load_first(gate + i, n - i);
        const Floats inner =
            vfmaq_f32(vdupq_n_f32(gelu_linear), vdupq_n_f32(gelu_cubic), vmulq_f32(g, g));
        const Floats e = exp_floats(vmulq_f32(g, inner));
        const Floats gated = vdivq_f32(g, vaddq_f32(vdupq_n_f32(1.0f), e));
        store_first(out + i, n - i, vmulq_f32(gated, load_first(up + i, n - i)));
    }
}

void soft_cap(float* x, std::size_t n, float cap) noexcept {
    const Floats factor = vdupq_n_f32(2.0f / cap), span = vdupq_n_f32(2.0f * cap);
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats e = exp_floats(vmulq_f32(load_first(x + i, n - i), factor));
        const Floats rest = vdivq_f32(span, vaddq_f32(vdupq_n_f32(1.0f), e));
        store_first(x + i, n - i, vsubq_f32(vdupq_n_f32(cap), rest));
    }
}

void swiglu_clamped(const float* gate, const float* up, float alpha, float limit, std::size_t n,
                    float* out) noexcept {
    const Floats one = vdupq_n_f32(1.0f), high = vdupq_n_f32(limit), low = vdupq_n_f32(-limit);
    for (std::size_t i = 0; i < n; i += lanes) { // NaN stays NaN in minimum and maximum
        const Floats g = vminq_f32(high, load_first(gate + i, n - i));
        const Floats u = vmaxq_f32(low, vminq_f32(high, load_first(up + i, n - i)));
        const Floats e = exp_floats(vnegq_f32(vmulq_n_f32(g, alpha)));
        const Floats gated = vdivq_f32(g, vaddq_f32(one, e));
        store_first(out + i, n - i, vmulq_f32(gated, vaddq_f32(u, one)));
    }
}

void add(float* x, const float* y, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; i += lanes)
        store_first(x + i, n - i, vaddq_f32(load_first(x + i, n - i), load_first(y + i, n - i)));
}

void add_scaled(float* x, const float* y, float factor, std::size_t n) noexcept {
    const Floats f = vdupq_n_f32(factor);
    for (std::size_t i = 0; i < n; i += lanes)
        store_first(x + i, n - i, vfmaq_f32(load_first(x + i, n - i), f, load_first(y + i, n - i)));
}

} // namespace pillar::kernels::neon
