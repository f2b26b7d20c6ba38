// Without branches in the loops over values, so that compilers turn them into vector code: all
// cases are computed and one is taken by a mask (a choice between floats would be a branch, since
// float operations may trap). Rounding is by adding 1.5 · 2^23, where the last bit of a float is 1.

#include "pillar/comm/wire_codec.hpp"

#include "pillar/comm/schedule.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pillar::comm {

namespace {

constexpr std::size_t n_tile = wire_block; ///< floats turned at once: memcpy makes them unaligned

std::uint32_t bits_of(float value) noexcept {
    return std::bit_cast<std::uint32_t>(value);
}

float float_of(std::uint32_t bits) noexcept {
    return std::bit_cast<float>(bits);
}

/// a where `condition` holds, else b.
std::uint32_t select(bool condition, std::uint32_t a, std::uint32_t b) noexcept {
    const std::uint32_t mask = 0U - static_cast<std::uint32_t>(condition);
    return (a & mask) | (b & ~mask);
}

/// f32_to_f16 of core, without branches.
std::uint16_t half_of(float value) noexcept {
    const std::uint32_t bits = bits_of(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000U;
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    const std::uint32_t odd = (magnitude >> 13) & 1U;
    const std::uint32_t normal = (magnitude - 0x38000000U + 0xFFFU + odd) >> 13;
    const std::uint32_t small = bits_of(float_of(magnitude) + 0.5F) - 0x3F000000U;
    const std::uint32_t nan = 0x7E00U | ((magnitude >> 13) & 0x3FFU);
    std::uint32_t half = select(magnitude < 0x38800000U, small, normal);
    half = select(magnitude >= 0x477FF000U, 0x7C00U, half);
    half = select(magnitude > 0x7F800000U, nan, half);
    return static_cast<std::uint16_t>(sign | half);
}

/// f16_to_f32 of core, without branches.
float float_of_half(std::uint16_t half) noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t shifted = static_cast<std::uint32_t>(half & 0x7FFFU) << 13;
    const std::uint32_t finite = bits_of(float_of(shifted) * 0x1p112F); // exact, subnormals too
    const std::uint32_t quiet = select(shifted > 0x0F800000U, 0x00400000U, 0U);
    const std::uint32_t special = shifted | 0x7F800000U | quiet;
    return float_of(sign | select(shifted >= 0x0F800000U, special, finite));
}

void encode_f16(std::span<const float> values, std::byte* bytes) noexcept {
    std::uint16_t tile[n_tile];
    for (std::size_t at = 0; at < values.size(); at += n_tile) {
        const std::size_t n = std::min(n_tile, values.size() - at);
        for (std::size_t i = 0; i < n; ++i) tile[i] = half_of(values[at + i]);
        std::memcpy(bytes + 2 * at, tile, 2 * n);
    }
}

void decode_f16(const std::byte* bytes, std::span<float> values) noexcept {
    std::uint16_t tile[n_tile];
    for (std::size_t at = 0; at < values.size(); at += n_tile) {
        const std::size_t n = std::min(n_tile, values.size() - at);
        std::memcpy(tile, bytes + 2 * at, 2 * n);
        for (std::size_t i = 0; i < n; ++i) values[at + i] = float_of_half(tile[i]);
    }
}

struct BlockHead {
    std::uint16_t scale; ///< bfloat16
    float largest;
};
constexpr std::size_t head_bytes = sizeof(std::uint16_t) + sizeof(float);
static_assert(head_bytes == wire_block_head_bytes);

constexpr std::int8_t mark = -128;
constexpr std::size_t n_block = wire_block;

/// second / 127 as a bfloat16 that is not smaller, so that no quotient passes 127.
std::uint16_t scale_above(float second) noexcept {
    if (!(second <= 0x1.fffffep127F)) return 0x7FC0; // infinite or NaN
    const float scale = second / 127.0F;
    if (scale < 0x1p-126F) return 0;
    return static_cast<std::uint16_t>((bits_of(scale) + 0xFFFFU) >> 16);
}

/// Quantise 32 values; returns what stands before them.
BlockHead quantise(const float* x, std::int8_t* q) noexcept {
    // Magnitudes as integers: the order of floats, with NaN above all.
    std::int32_t magnitude[n_block];
    for (std::size_t i = 0; i < n_block; ++i) {
        magnitude[i] = static_cast<std::int32_t>(bits_of(x[i]) & 0x7FFFFFFFU);
    }
    std::int32_t most = 0;
    for (const std::int32_t m : magnitude) most = m > most ? m : most;
    auto place = static_cast<std::int32_t>(n_block);
    for (std::size_t i = 0; i < n_block; ++i) {
        const auto index = static_cast<std::int32_t>(i);
        const std::int32_t here = magnitude[i] == most ? index : static_cast<std::int32_t>(n_block);
        place = here < place ? here : place;
    }
    magnitude[place] = 0;
    std::int32_t second = 0;
    for (const std::int32_t m : magnitude) second = m > second ? m : second;

    const std::uint16_t scale = scale_above(float_of(static_cast<std::uint32_t>(second)));
    const float step = float_of(static_cast<std::uint32_t>(scale) << 16);
    const float inverse = step > 0 ? 1.0F / step : 0.0F; // NaN: 0 as well
    const std::uint32_t limit = bits_of(127.0F);
    for (std::size_t i = 0; i < n_block; ++i) {
        const std::uint32_t y = bits_of(x[i] * inverse);
        const std::uint32_t size = y & 0x7FFFFFFFU;
        const std::uint32_t clamped = size < limit ? size : limit; // NaN: the limit
        const float rounded = float_of((y & 0x80000000U) | clamped) + 12582912.0F;
        q[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(bits_of(rounded) - 0x4B400000U));
    }
    q[place] = mark;
    return {scale, x[place]};
}

void dequantise(BlockHead head, const std::int8_t* q, float* x) noexcept {
    const float step = float_of(static_cast<std::uint32_t>(head.scale) << 16);
    for (std::size_t i = 0; i < n_block; ++i) {
        const std::uint32_t value = bits_of(step * static_cast<float>(q[i]));
        x[i] = float_of(select(q[i] == mark, bits_of(head.largest), value));
    }
}

void encode_q8(std::span<const float> values, std::byte* bytes) noexcept {
    for (std::size_t at = 0; at < values.size(); at += n_block) {
        const std::size_t n = std::min(n_block, values.size() - at);
        float padded[n_block];
        const float* x = values.data() + at;
        if (n < n_block) {
            std::fill(std::copy_n(x, n, padded), padded + n_block, 0.0F);
            x = padded;
        }
        std::int8_t q[n_block];
        const BlockHead head = quantise(x, q);
        std::memcpy(bytes, &head.scale, sizeof head.scale);
        std::memcpy(bytes + sizeof head.scale, &head.largest, sizeof head.largest);
        std::memcpy(bytes + head_bytes, q, n);
        bytes += head_bytes + n;
    }
}

void decode_q8(const std::byte* bytes, std::span<float> values) noexcept {
    for (std::size_t at = 0; at < values.size(); at += n_block) {
        const std::size_t n = std::min(n_block, values.size() - at);
        BlockHead head{};
        std::int8_t q[n_block] = {};
        float x[n_block];
        std::memcpy(&head.scale, bytes, sizeof head.scale);
        std::memcpy(&head.largest, bytes + sizeof head.scale, sizeof head.largest);
        std::memcpy(q, bytes + head_bytes, n);
        dequantise(head, q, n < n_block ? x : values.data() + at);
        if (n < n_block) std::copy_n(x, n, values.data() + at);
        bytes += head_bytes + n;
    }
}

} // namespace

void encode(Wire wire, std::span<const float> values, std::byte* bytes) noexcept {
    switch (wire) {
    case Wire::f32:
        if (!values.empty()) std::memcpy(bytes, values.data(), values.size_bytes());
        return;
    case Wire::f16:
        return encode_f16(values, bytes);
    case Wire::q8:
        return encode_q8(values, bytes);
    }
}

void decode(Wire wire, const std::byte* bytes, std::size_t begin,
            std::span<float> values) noexcept {
    const std::byte* from = bytes + wire_bytes(wire, begin);
    switch (wire) {
    case Wire::f32:
        if (!values.empty()) std::memcpy(values.data(), from, values.size_bytes());
        return;
    case Wire::f16:
        return decode_f16(from, values);
    case Wire::q8:
        return decode_q8(from, values);
    }
}

} // namespace pillar::comm
