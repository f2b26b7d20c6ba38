// Operators on vectors: norm, rotation, gate, residual.

#include "clones.hpp"
#include "gelu.hpp"
#include "lanes.hpp"
#include "operators.hpp"

#include "pillar/core/elementary.hpp"

#include <cmath>

namespace pillar::kernels::reference {

PILLAR_CLONES
float sum_of_squares(const float* x, std::size_t n) noexcept {
    float lanes[n_lanes] = {};
    std::size_t i = 0;
    for (; i + n_lanes <= n; i += n_lanes)
        for (std::size_t lane = 0; lane < n_lanes; ++lane)
            lanes[lane] = std::fma(x[i + lane], x[i + lane], lanes[lane]);
    for (; i < n; ++i) lanes[i % n_lanes] = std::fma(x[i], x[i], lanes[i % n_lanes]);
    return sum_of_lanes(lanes);
}

PILLAR_CLONES
void rms_norm(const float* x, const float* weight, std::size_t n, float eps, float* out) noexcept {
    const float mean = sum_of_squares(x, n) / static_cast<float>(n);
    const float r = 1.0f / std::sqrt(mean + eps);
    for (std::size_t i = 0; i < n; ++i) out[i] = (x[i] * r) * weight[i];
}

PILLAR_CLONES
void rope(float* head, const float* cosine, const float* sine, std::size_t n_pairs) noexcept {
    for (std::size_t i = 0; i < n_pairs; ++i) {
        const float a = head[2 * i];
        const float b = head[2 * i + 1];
        head[2 * i] = std::fma(-b, sine[i], a * cosine[i]);
        head[2 * i + 1] = std::fma(a, sine[i], b * cosine[i]);
    }
}

PILLAR_CLONES
void swiglu(const float* gate, const float* up, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) out[i] = gate[i] / (1.0f + exp_f32(-gate[i])) * up[i];
}

PILLAR_CLONES
void geglu(const float* gate, const float* up, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        const float x = gate[i];
        const float minus_2u = x * std::fma(gelu_cubic, x * x, gelu_linear);
        out[i] = x / (1.0f + exp_f32(minus_2u)) * up[i];
    }
}

PILLAR_CLONES
void soft_cap(float* x, std::size_t n, float cap) noexcept {
    const float factor = 2.0f / cap, span = 2.0f * cap;
    for (std::size_t i = 0; i < n; ++i) x[i] = cap - span / (1.0f + exp_f32(x[i] * factor));
}

PILLAR_CLONES
void swiglu_clamped(const float* gate, const float* up, float alpha, float limit, std::size_t n,
                    float* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) { // comparisons that let a NaN through
        const float g = limit < gate[i] ? limit : gate[i];
        const float below = limit < up[i] ? limit : up[i];
        const float u = -limit > below ? -limit : below;
        out[i] = g / (1.0f + exp_f32(-(alpha * g))) * (u + 1.0f);
    }
}

void add(float* x, const float* y, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) x[i] += y[i];
}

PILLAR_CLONES
void add_scaled(float* x, const float* y, float factor, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) x[i] = std::fma(factor, y[i], x[i]);
}

} // namespace pillar::kernels::reference
