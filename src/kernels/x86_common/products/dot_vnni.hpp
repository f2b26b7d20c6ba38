#pragma once
// Dot products of VNNI (dot.hpp): vpdpbusd multiplies four unsigned weights by four signed
// activations and adds them to an int32, exactly. Scales are applied in f32, which holds every
// Σ scale·dot.
//
// An integer dot becomes a float without a conversion where that saves one: it is summed on top of
// the bits of 1.5 · 2^23, whose float's last place is 1, so that the sum's bits are the float
// 1.5 · 2^23 + dot as long as |dot| < 2^22; and (1.5 · 2^23 + dot) · scale − 1.5 · 2^23 · scale is
// one fma, exact because its result is.

#include "scales.hpp"

namespace pillar::kernels::x86 {
namespace {

inline constexpr bool dots_take_eight_bits = true;
inline constexpr float dot_origin = 12582912.0f; // 1.5 · 2^23
inline constexpr std::int32_t dot_origin_bits = __builtin_bit_cast(std::int32_t, dot_origin);

/// start + Σ over vectors [first, first + n) of weight · activation, one int32 a row.
template <std::size_t n>
inline Ints dot_vectors(const Weights& w, std::size_t first, const std::int8_t* x,
                        Ints start) noexcept {
    for (std::size_t j = first; j < first + n; ++j)
        start = dot_bytes(start, w.v[j], broadcast_4_bytes(x + 4 * j));
    return start;
}

template <class Bits>
inline Ints dot(const Weights& w, const std::int8_t* x, Ints start) noexcept {
    return dot_vectors<8>(w, 0, x, start);
}

/// One scale a row for all 32 weights.
struct WholeScale {
    Floats scale;
    Floats minus_origin; ///< −1.5 · 2^23 · scale

    /// Byte k of each lane, less `bias`.
    static WholeScale of_byte(Ints v, std::size_t k, std::int16_t bias) noexcept {
        const Floats scale = to_floats(plus_32(byte_of_lane(v, k), fill_32(-bias)));
        return {scale, times(scale, fill(-dot_origin))};
    }
    /// scale · (sum − dot_origin_bits)
    Floats scaled(Ints sum) const noexcept { return fma(as_floats(sum), scale, minus_origin); }
    template <class Bits>
    Floats scaled_dot(const Weights& w, const std::int8_t* x) const noexcept {
        return scaled(dot_vectors<8>(w, 0, x, fill_32(dot_origin_bits)));
    }
};

/// One scale a row for each 16 weights n − bias.
template <class Bits, int bias>
struct HalfScales {
    WholeScale low;
    Floats high;

    /// Both scales as int16 in each lane.
    static HalfScales of(Ints both) noexcept {
        const Floats scale = to_floats(shift_right_signed_32<16>(shift_left_32<16>(both)));
        return {{scale, times(scale, fill(-dot_origin))},
                to_floats(shift_right_signed_32<16>(both))};
    }
    /// Where the sums of the two halves start.
    struct Extra {
        std::int32_t low, high;
    };
    static constexpr Extra no_extra = {dot_origin_bits, 0}; ///< where no bias is
    static Extra extra(const std::int16_t* half_sum) noexcept {
        return {dot_origin_bits - bias * half_sum[0], -bias * half_sum[1]};
    }
    Floats scaled_dot(const Weights& w, const std::int8_t* x, Extra start) const noexcept {
        const Floats first = low.scaled(dot_vectors<4>(w, 0, x, fill_32(start.low)));
        return fma(to_floats(dot_vectors<4>(w, 4, x, fill_32(start.high))), high, first);
    }
};

/// Levels + 128 are unsigned bytes.
struct LevelDot {
    static constexpr int bias = 128;
    Weights w;

    explicit LevelDot(const Weights& levels) noexcept : w(levels) {}
    static std::int32_t extra(std::int32_t sum) noexcept { return dot_origin_bits - bias * sum; }
    Ints dot(const std::int8_t* x, std::int32_t start) const noexcept {
        return dot_vectors<8>(w, 0, x, fill_32(start - dot_origin_bits));
    }
    Floats scaled_dot(const std::int8_t* x, std::int32_t start,
                      const WholeScale& scale) const noexcept {
        return scale.scaled(dot_vectors<8>(w, 0, x, fill_32(start)));
    }
};

} // namespace
} // namespace pillar::kernels::x86
