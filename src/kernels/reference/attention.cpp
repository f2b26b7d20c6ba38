// Attention of one query head over one page of the KV cache, and how pages are put together.

#include "clones.hpp"
#include "lanes.hpp"
#include "operators.hpp"

#include "pillar/core/elementary.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace pillar::kernels::reference {

namespace {

constexpr std::size_t chunk = 256; ///< cache values widened at a time

/// f16_to_f32 without branches, which a compiler can turn into SIMD: 2^112 moves the exponent, for
/// subnormals too, and is exact. (A NaN may stay signalling; the fma that takes it makes it quiet.)
[[gnu::always_inline]] inline float widen(std::uint16_t half) noexcept {
    const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7FFFu) << 13;
    const auto moved = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
    const std::uint32_t bits = magnitude >= 0x0F800000u ? magnitude | 0x7F800000u : moved;
    return std::bit_cast<float>(bits | static_cast<std::uint32_t>(half & 0x8000u) << 16);
}

/// n ≤ chunk values of the cache from element `at` on, as f32.
[[gnu::always_inline]] inline void load(const void* cache, CacheType type, std::size_t at,
                                        std::size_t n, float* out) noexcept {
    if (type == CacheType::f32) {
        std::memcpy(out, static_cast<const float*>(cache) + at, n * sizeof(float));
        return;
    }
    const auto* halves = static_cast<const std::uint16_t*>(cache) + at;
    for (std::size_t i = 0; i < n; ++i) out[i] = widen(halves[i]);
}

} // namespace

PILLAR_CLONES
PartialAttention attend_page(const float* query, const PageView& page, CacheType type,
                             std::size_t head_dim, std::size_t n_visible, float scale,
                             float* scores, float* o) noexcept {
    float row[chunk];
    for (std::size_t j = 0; j < n_visible; ++j) scores[j] = 0.0f;
    for (std::size_t d = 0; d < head_dim; ++d) { // s_j = fma(q[d], k[d][j], s_j)
        load(page.keys, type, d * page_positions, n_visible, row);
        for (std::size_t j = 0; j < n_visible; ++j)
            scores[j] = std::fma(query[d], row[j], scores[j]);
    }

    float m = -std::numeric_limits<float>::infinity();
    for (std::size_t j = 0; j < n_visible; ++j) {
        scores[j] *= scale;
        m = scores[j] > m ? scores[j] : m;
    }
    float lanes[n_lanes] = {};
    for (std::size_t j = 0; j < n_visible; ++j) {
        scores[j] = exp_f32(scores[j] - m);
        lanes[j % n_lanes] += scores[j];
    }

    for (std::size_t d = 0; d < head_dim; ++d) o[d] = 0.0f;
    for (std::size_t j = 0; j < n_visible; ++j) { // o[d] = fma(e_j, v[j][d], o[d])
        for (std::size_t first = 0; first < head_dim; first += chunk) {
            const std::size_t n = head_dim - first < chunk ? head_dim - first : chunk;
            load(page.values, type, j * head_dim + first, n, row);
            for (std::size_t d = 0; d < n; ++d)
                o[first + d] = std::fma(scores[j], row[d], o[first + d]);
        }
    }
    return {m, sum_of_lanes(lanes), o};
}

PILLAR_CLONES
void combine(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept {
    const float m = b.m > a.m ? b.m : a.m;
    const float factor_a = exp_f32(a.m - m);
    const float factor_b = exp_f32(b.m - m);
    a.m = m;
    a.l = std::fma(b.l, factor_b, a.l * factor_a);
    for (std::size_t d = 0; d < head_dim; ++d)
        a.o[d] = std::fma(b.o[d], factor_b, a.o[d] * factor_a);
}

void finish_attention(const PartialAttention& a, std::size_t head_dim, float* out) noexcept {
    const float r = 1.0f / a.l;
    for (std::size_t d = 0; d < head_dim; ++d) out[d] = a.o[d] * r;
}

void store_kv(const float* key, const float* value, void* keys, void* values, CacheType type,
              std::size_t head_dim, std::size_t slot) noexcept {
    for (std::size_t d = 0; d < head_dim; ++d) {
        const std::size_t key_at = d * page_positions + slot;
        const std::size_t value_at = slot * head_dim + d;
        if (type == CacheType::f32) {
            static_cast<float*>(keys)[key_at] = key[d];
            static_cast<float*>(values)[value_at] = value[d];
        } else {
            static_cast<std::uint16_t*>(keys)[key_at] = f32_to_f16(key[d]);
            static_cast<std::uint16_t*>(values)[value_at] = f32_to_f16(value[d]);
        }
    }
}

} // namespace pillar::kernels::reference
