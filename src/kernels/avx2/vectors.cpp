// Operators on vectors: norm, rotation, gate, residual.

#include "exp.hpp"
#include "gelu.hpp"
#include "lanes.hpp"
#include "operators.hpp"

namespace pillar::kernels::avx2 {

float sum_of_squares(const float* x, std::size_t n) noexcept {
    Floats low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    std::size_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
        const Floats a = _mm256_loadu_ps(x + i);
        const Floats b = _mm256_loadu_ps(x + i + lanes);
        low = _mm256_fmadd_ps(a, a, low);
        high = _mm256_fmadd_ps(b, b, high);
    }
    if (i < n) { // lanes beyond the end add 0 · 0, which changes nothing
        const Floats a = load_first(x + i, n - i);
        low = _mm256_fmadd_ps(a, a, low);
    }
    if (i + lanes < n) {
        const Floats b = load_first(x + i + lanes, n - i - lanes);
        high = _mm256_fmadd_ps(b, b, high);
    }
    return sum_of_lanes(low, high);
}

void rms_norm(const float* x, const float* weight, std::size_t n, float eps, float* out) noexcept {
    const float mean = sum_of_squares(x, n) / static_cast<float>(n);
    const float root = _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(mean + eps)));
    const Floats r = _mm256_set1_ps(1.0f / root);
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats scaled = _mm256_mul_ps(load_first(x + i, n - i), r);
        store_first(out + i, n - i, _mm256_mul_ps(scaled, load_first(weight + i, n - i)));
    }
}

void rope(float* head, const float* cosine, const float* sine, std::size_t n_pairs) noexcept {
    const Ints twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    const Floats minus_even = _mm256_setr_ps(-0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f);
    for (std::size_t i = 0; i < n_pairs; i += lanes / 2) {
        const std::size_t n = 2 * smaller(lanes / 2, n_pairs - i);
        const Floats x = load_first(head + 2 * i, n);                                 // a, b
        const Floats swapped = _mm256_xor_ps(_mm256_permute_ps(x, 0xB1), minus_even); // −b, a
        const Floats c = _mm256_permutevar8x32_ps(load_first(cosine + i, n / 2), twice);
        const Floats s = _mm256_permutevar8x32_ps(load_first(sine + i, n / 2), twice);
        store_first(head + 2 * i, n, _mm256_fmadd_ps(swapped, s, _mm256_mul_ps(x, c)));
    }
}

void swiglu(const float* gate, const float* up, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats g = load_first(gate + i, n - i);
        const Floats e = exp_floats(_mm256_xor_ps(g, _mm256_set1_ps(-0.0f)));
        const Floats gated = _mm256_div_ps(g, _mm256_add_ps(_mm256_set1_ps(1.0f), e));
        store_first(out + i, n - i, _mm256_mul_ps(gated, load_first(up + i, n - i)));
    }
}

void geglu(const float* gate, const float* up, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats g = load_first(gate + i, n - i);
        const Floats inner = _mm256_fmadd_ps(_mm256_set1_ps(gelu_cubic), _mm256_mul_ps(g, g),
                                             _mm256_set1_ps(gelu_linear));
        const Floats e = exp_floats(_mm256_mul_ps(g, inner));
        const Floats gated = _mm256_div_ps(g, _mm256_add_ps(_mm256_set1_ps(1.0f), e));
        store_first(out + i, n - i, _mm256_mul_ps(gated, load_first(up + i, n - i)));
    }
}

void soft_cap(float* x, std::size_t n, float cap) noexcept {
    const Floats factor = _mm256_set1_ps(2.0f / cap), span = _mm256_set1_ps(2.0f * cap);
    for (std::size_t i = 0; i < n; i += lanes) {
        const Floats e = exp_floats(_mm256_mul_ps(load_first(x + i, n - i), factor));
        const Floats rest = _mm256_div_ps(span, _mm256_add_ps(_mm256_set1_ps(1.0f), e));
        store_first(x + i, n - i, _mm256_sub_ps(_mm256_set1_ps(cap), rest));
    }
}

void swiglu_clamped(const float* gate, const float* up, float alpha, float limit, std::size_t n,
                    float* out) noexcept {
    const Floats one = _mm256_set1_ps(1.0f), minus = _mm256_set1_ps(-0.0f);
    const Floats a = _mm256_set1_ps(alpha), high = _mm256_set1_ps(limit);
    for (std::size_t i = 0; i < n; i += lanes) { // the second operand stays where it is NaN
        const Floats g = _mm256_min_ps(high, load_first(gate + i, n - i));
        const Floats below = _mm256_min_ps(high, load_first(up + i, n - i));
        const Floats u = _mm256_max_ps(_mm256_xor_ps(high, minus), below);
        const Floats e = exp_floats(_mm256_xor_ps(_mm256_mul_ps(a, g), minus));
        const Floats gated = _mm256_div_ps(g, _mm256_add_ps(one, e));
        store_first(out + i, n - i, _mm256_mul_ps(gated, _mm256_add_ps(u, one)));
    }
}

void add(float* x, const float* y, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; i += lanes)
        store_first(x + i, n - i,
                    _mm256_add_ps(load_first(x + i, n - i), load_first(y + i, n - i)));
}

void add_scaled(float* x, const float* y, float factor, std::size_t n) noexcept {
    const Floats f = _mm256_set1_ps(factor);
    for (std::size_t i = 0; i < n; i += lanes)
        store_first(x + i, n - i,
                    _mm256_fmadd_ps(f, load_first(y + i, n - i), load_first(x + i, n - i)));
}

} // namespace pillar::kernels::avx2
