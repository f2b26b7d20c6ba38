// Writing the KV cache: keys by dimension, values by position, rounded to the cache's type.

#include "half_bytes.hpp"
#include "operators.hpp"
#include "quantize_block.hpp"

namespace pillar::kernels::avx2 {
namespace {

struct Halves {
    std::uint16_t h[lanes];
};

/// Up to eight f32 as f16, half to even.
inline Halves round_to_halves(const float* p, std::size_t n) noexcept {
    constexpr int to_nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    Halves halves;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves.h),
                     _mm256_cvtps_ph(load_first(p, n), to_nearest));
    return halves;
}

struct Quantized {
    std::int8_t q[cache_block];
    std::uint16_t scale;
};

/// Up to 32 values; what lies beyond them counts as 0.
inline Quantized quantize_some(const float* p, std::size_t n) noexcept {
    float whole[cache_block] = {};
    std::memcpy(whole, p, n * sizeof(float));
    Quantized block;
    float dx;
    _mm256_storeu_si256(reinterpret_cast<Ints*>(block.q), quantize_block(load_block(whole), dx));
    block.scale = round_to_halves(&dx, 1).h[0];
    return block;
}

} // namespace

void store_key(const float* key, void* keys, CacheType type, std::size_t head_dim, std::size_t slot,
               std::size_t begin, std::size_t end) noexcept {
    if (type == CacheType::f32) {
        float* const column = static_cast<float*>(keys) + slot;
        for (std::size_t d = begin; d < end; ++d) column[d * page_positions] = key[d];
    } else if (type == CacheType::f16) {
        auto* const column = static_cast<std::uint16_t*>(keys) + slot;
        for (std::size_t d = begin; d < end; d += lanes) {
            const std::size_t n = smaller(lanes, end - d);
            const Halves k = round_to_halves(key + d, n);
            for (std::size_t i = 0; i < n; ++i) column[(d + i) * page_positions] = k.h[i];
        }
    } else if (type == CacheType::q4_0) {
        store_key_halves(key, keys, head_dim, slot, begin, end);
    } else {
        auto* const ints = static_cast<std::int8_t*>(keys);
        auto* const scales = reinterpret_cast<std::uint16_t*>(ints + page_positions * head_dim);
        for (std::size_t d = begin; d < end; d += cache_block) {
            const std::size_t n = smaller(cache_block, end - d);
            const Quantized block = quantize_some(key + d, n);
            scales[d / cache_block * page_positions + slot] = block.scale;
            for (std::size_t i = 0; i < n; ++i) ints[(d + i) * page_positions + slot] = block.q[i];
        }
    }
}

void store_value(const float* value, void* values, CacheType type, std::size_t head_dim,
                 std::size_t slot, std::size_t begin, std::size_t end) noexcept {
    const std::size_t row = slot * head_dim;
    if (type == CacheType::f32) {
        std::memcpy(static_cast<float*>(values) + row + begin, value + begin,
                    (end - begin) * sizeof(float));
    } else if (type == CacheType::f16) {
        for (std::size_t d = begin; d < end; d += lanes) {
            const std::size_t n = smaller(lanes, end - d);
            const Halves v = round_to_halves(value + d, n);
            std::memcpy(static_cast<std::uint16_t*>(values) + row + d, v.h,
                        n * sizeof(std::uint16_t));
        }
    } else if (type == CacheType::q4_0) {
        store_value_halves(value, values, head_dim, slot, begin, end);
    } else {
        auto* const ints = static_cast<std::int8_t*>(values);
        auto* const scales = reinterpret_cast<std::uint16_t*>(ints + page_positions * head_dim);
        for (std::size_t d = begin; d < end; d += cache_block) {
            const std::size_t n = smaller(cache_block, end - d);
            const Quantized block = quantize_some(value + d, n);
            scales[d / cache_block * page_positions + slot] = block.scale;
            std::memcpy(ints + row + d, block.q, n);
        }
    }
}

} // namespace pillar::kernels::avx2
