// Attention of query heads over one page of the KV cache, how pages are put together, and how the
// cache is written.

#include "clones.hpp"
#include "half_bytes.hpp"
#include "lanes.hpp"
#include "operators.hpp"
#include "quantize_block.hpp"

#include "pillar/core/elementary.hpp"
#include "pillar/core/half.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace pillar::kernels::reference {

namespace {

/// f16_to_f32 without branches, which a compiler can turn into SIMD: 2^112 moves the exponent, for
/// subnormals too, and is exact. (A NaN may stay signalling; the fma that takes it makes it quiet.)
[[gnu::always_inline]] inline float widen(std::uint16_t half) noexcept {
    const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7FFFu) << 13;
    const auto moved = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
    const std::uint32_t bits = magnitude >= 0x0F800000u ? magnitude | 0x7F800000u : moved;
    return std::bit_cast<float>(bits | static_cast<std::uint32_t>(half & 0x8000u) << 16);
}

/// The scales of a q8_0 page follow its int8.
[[gnu::always_inline]] inline const std::uint16_t* scales_of(const void* ints,
                                                             std::size_t head_dim) noexcept {
    return reinterpret_cast<const std::uint16_t*>(static_cast<const std::int8_t*>(ints) +
                                                  page_positions * head_dim);
}

/// Where a q4_0 page has its scales, and a dimension its bytes.
[[gnu::always_inline]] inline const std::uint16_t*
scales_after_halves(const void* bytes, std::size_t head_dim) noexcept {
    const std::size_t n_rows = (head_dim + cache_block - 1) / cache_block * (cache_block / 2);
    return reinterpret_cast<const std::uint16_t*>(static_cast<const std::uint8_t*>(bytes) +
                                                  page_positions * n_rows);
}
/// Half of a byte, minus 8: the dimension's place in its block of 32 says which.
[[gnu::always_inline]] inline float half_of(std::uint8_t byte, std::size_t in_block) noexcept {
    const int half = in_block < cache_block / 2 ? byte & 15 : byte >> 4;
    return static_cast<float>(half - 8);
}

/// Dimension d of the keys of positions [0, n), as f32.
[[gnu::always_inline]] inline void load_keys(const void* keys, CacheType type, std::size_t head_dim,
                                             std::size_t d, std::size_t n, float* out) noexcept {
    const std::size_t at = d * page_positions;
    if (type == CacheType::f32) {
        std::memcpy(out, static_cast<const float*>(keys) + at, n * sizeof(float));
    } else if (type == CacheType::f16) {
        const auto* halves = static_cast<const std::uint16_t*>(keys) + at;
        for (std::size_t j = 0; j < n; ++j) out[j] = widen(halves[j]);
    } else if (type == CacheType::q4_0) {
        const std::size_t block = d / cache_block, in_block = d % cache_block;
        const std::size_t row = (block * (cache_block / 2) + in_block % (cache_block / 2));
        const auto* q = static_cast<const std::uint8_t*>(keys) + row * page_positions;
        const std::uint16_t* scale = scales_after_halves(keys, head_dim) + block * page_positions;
        for (std::size_t j = 0; j < n; ++j) out[j] = widen(scale[j]) * half_of(q[j], in_block);
    } else {
        const auto* q = static_cast<const std::int8_t*>(keys) + at;
        const std::uint16_t* scale = scales_of(keys, head_dim) + d / cache_block * page_positions;
        for (std::size_t j = 0; j < n; ++j) out[j] = widen(scale[j]) * static_cast<float>(q[j]);
    }
}

/// Dimensions [d, d + n) of the value of position j, as f32; all in one block of 32.
[[gnu::always_inline]] inline void load_value(const void* values, CacheType type,
                                              std::size_t head_dim, std::size_t j, std::size_t d,
                                              std::size_t n, float* out) noexcept {
    const std::size_t at = j * head_dim + d;
    if (type == CacheType::f32) {
        std::memcpy(out, static_cast<const float*>(values) + at, n * sizeof(float));
    } else if (type == CacheType::f16) {
        const auto* halves = static_cast<const std::uint16_t*>(values) + at;
        for (std::size_t i = 0; i < n; ++i) out[i] = widen(halves[i]);
    } else if (type == CacheType::q4_0) {
        const std::size_t block = d / cache_block, half_block = cache_block / 2;
        const std::size_t n_blocks = (head_dim + cache_block - 1) / cache_block;
        const auto* q =
            static_cast<const std::uint8_t*>(values) + (j * n_blocks + block) * half_block;
        const float scale =
            widen(scales_after_halves(values, head_dim)[block * page_positions + j]);
        for (std::size_t i = 0; i < n; ++i) out[i] = scale * half_of(q[i % half_block], i);
    } else {
        const auto* q = static_cast<const std::int8_t*>(values) + at;
        const float scale =
            widen(scales_of(values, head_dim)[d / cache_block * page_positions + j]);
        for (std::size_t i = 0; i < n; ++i) out[i] = scale * static_cast<float>(q[i]);
    }
}

[[gnu::always_inline]] inline void attend(PageQuery& query, const PageView& page, CacheTypes types,
                                          std::size_t head_dim, ScoreRule rule,
                                          float* scores) noexcept {
    const std::size_t begin = query.first_visible, n_visible = query.n_visible;
    float row[page_positions];
    for (std::size_t j = begin; j < n_visible; ++j) scores[j] = 0.0f;
    for (std::size_t d = 0; d < head_dim; ++d) { // s_j = fma(q[d], k[d][j], s_j)
        load_keys(page.keys, types.keys, head_dim, d, n_visible, row);
        for (std::size_t j = begin; j < n_visible; ++j)
            scores[j] = std::fma(query.query[d], row[j], scores[j]);
    }

    float m = -std::numeric_limits<float>::infinity();
    for (std::size_t j = begin; j < n_visible; ++j) scores[j] *= rule.scale;
    if (rule.cap > 0) soft_cap(scores + begin, n_visible - begin, rule.cap);
    for (std::size_t j = begin; j < n_visible; ++j) m = scores[j] > m ? scores[j] : m;
    float lanes[n_lanes] = {};
    for (std::size_t j = begin; j < n_visible; ++j) {
        scores[j] = exp_f32(scores[j] - m);
        lanes[j % n_lanes] += scores[j];
    }

    float* o = query.part.o;
    for (std::size_t d = 0; d < head_dim; ++d) o[d] = 0.0f;
    for (std::size_t j = begin; j < n_visible; ++j) { // o[d] = fma(e_j, v[j][d], o[d])
        for (std::size_t first = 0; first < head_dim; first += cache_block) {
            const std::size_t n = std::min(cache_block, head_dim - first);
            load_value(page.values, types.values, head_dim, j, first, n, row);
            for (std::size_t d = 0; d < n; ++d)
                o[first + d] = std::fma(scores[j], row[d], o[first + d]);
        }
    }
    query.part.m = m;
    query.part.l = sum_of_lanes(lanes);
}

} // namespace

PILLAR_CLONES
void attend_page(PageQuery* queries, std::size_t n_queries, const PageView& page, CacheTypes types,
                 std::size_t head_dim, ScoreRule rule, float* scores) noexcept {
    for (std::size_t i = 0; i < n_queries; ++i)
        attend(queries[i], page, types, head_dim, rule, scores);
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

void store_key(const float* key, void* keys, CacheType type, std::size_t head_dim, std::size_t slot,
               std::size_t begin, std::size_t end) noexcept {
    const auto at = [&](std::size_t d) { return d * page_positions + slot; };
    if (type == CacheType::f32) {
        for (std::size_t d = begin; d < end; ++d) static_cast<float*>(keys)[at(d)] = key[d];
    } else if (type == CacheType::f16) {
        for (std::size_t d = begin; d < end; ++d)
            static_cast<std::uint16_t*>(keys)[at(d)] = f32_to_f16(key[d]);
    } else if (type == CacheType::q4_0) {
        store_key_halves(key, keys, head_dim, slot, begin, end);
    } else {
        auto* const ints = static_cast<std::int8_t*>(keys);
        auto* const scales = reinterpret_cast<std::uint16_t*>(ints + page_positions * head_dim);
        for (std::size_t first = begin; first < end; first += cache_block) {
            const std::size_t n = std::min(cache_block, end - first);
            std::int8_t q[cache_block];
            scales[at(first / cache_block)] = f32_to_f16(quantize_block(key + first, n, q));
            for (std::size_t i = 0; i < n; ++i) ints[at(first + i)] = q[i];
        }
    }
}

void store_value(const float* value, void* values, CacheType type, std::size_t head_dim,
                 std::size_t slot, std::size_t begin, std::size_t end) noexcept {
    const std::size_t row = slot * head_dim;
    if (type == CacheType::f32) {
        for (std::size_t d = begin; d < end; ++d) static_cast<float*>(values)[row + d] = value[d];
    } else if (type == CacheType::f16) {
        for (std::size_t d = begin; d < end; ++d)
            static_cast<std::uint16_t*>(values)[row + d] = f32_to_f16(value[d]);
    } else if (type == CacheType::q4_0) {
        store_value_halves(value, values, head_dim, slot, begin, end);
    } else {
        auto* const ints = static_cast<std::int8_t*>(values);
        auto* const scales = reinterpret_cast<std::uint16_t*>(ints + page_positions * head_dim);
        for (std::size_t first = begin; first < end; first += cache_block) {
            const std::size_t n = std::min(cache_block, end - first);
            scales[first / cache_block * page_positions + slot] =
                f32_to_f16(quantize_block(value + first, n, ints + row + first));
        }
    }
}

} // namespace pillar::kernels::reference
