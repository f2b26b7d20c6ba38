#pragma once
// Eight floats that are computed alike: compilers' own vectors, so that one source serves every
// processor. Nothing here or in the encoders is ordered by how wide a register is: a sum has one
// order, and no product is contracted with an addition, so every processor finds the same bits.
// Always inlined: a file compiled for a newer instruction set must not lend its copy to the rest
// of the program.

#include <cstddef>
#include <cstdint>

namespace pillar::quantize {

inline constexpr std::size_t n_lanes = 8;
using Floats = float __attribute__((vector_size(32)));
using Integers = std::int32_t __attribute__((vector_size(32)));

/// A struct, since vectors themselves are passed differently by different instruction sets.
struct Lanes {
    Floats v;

    Lanes() = default;
    [[gnu::always_inline]] Lanes(const Floats& values) : v(values) {}
    [[gnu::always_inline]] Lanes(float value)
        : v(Floats{value, value, value, value, value, value, value, value}) {}
    [[gnu::always_inline]] static Lanes counting_from(float first, float step) {
        return Lanes(first) + Lanes(step) * Lanes(Floats{0, 1, 2, 3, 4, 5, 6, 7});
    }
    [[gnu::always_inline]] float operator[](std::size_t lane) const { return v[lane]; }

    [[gnu::always_inline]] friend Lanes operator+(Lanes a, Lanes b) { return a.v + b.v; }
    [[gnu::always_inline]] friend Lanes operator-(Lanes a, Lanes b) { return a.v - b.v; }
    [[gnu::always_inline]] friend Lanes operator*(Lanes a, Lanes b) { return a.v * b.v; }
    [[gnu::always_inline]] friend Lanes operator/(Lanes a, Lanes b) { return a.v / b.v; }
    [[gnu::always_inline]] Lanes& operator+=(Lanes b) {
        v += b.v;
        return *this;
    }
};

/// All bits of a lane set, or none.
struct Mask {
    Integers m;
    [[gnu::always_inline]] friend Mask operator&(Mask a, Mask b) { return {a.m & b.m}; }
};
[[gnu::always_inline]] inline Mask operator>(Lanes a, Lanes b) {
    return {a.v > b.v};
}
[[gnu::always_inline]] inline Mask operator>=(Lanes a, Lanes b) {
    return {a.v >= b.v};
}
[[gnu::always_inline]] inline Lanes select(Mask mask, Lanes yes, Lanes no) {
    return mask.m ? yes.v : no.v;
}
/// `value` where the mask is set, else 0.
[[gnu::always_inline]] inline Lanes only(Mask mask, Lanes value) {
    return reinterpret_cast<Floats>(mask.m & reinterpret_cast<Integers>(value.v));
}

/// Between two bounds; the lower one of what is not a number.
[[gnu::always_inline]] inline Lanes clamp(Lanes a, Lanes lowest, Lanes highest) {
    const Lanes above = a.v > lowest.v ? a.v : lowest.v;
    return above.v < highest.v ? above.v : highest.v;
}

/// The nearest whole number, half to even, of less than 2^22 in magnitude: adding 1.5 · 2^23 leaves
/// no bits for the fraction.
[[gnu::always_inline]] inline Lanes nearest(Lanes a) {
    const Lanes shift(0x1.8p23f);
    return (a + shift) - shift;
}
[[gnu::always_inline]] inline float nearest(float a) {
    return (a + 0x1.8p23f) - 0x1.8p23f;
}

/// The first lane with the largest value; NaN is never the largest.
[[gnu::always_inline]] inline std::size_t largest_lane(Lanes a) {
    std::size_t best = 0;
    for (std::size_t lane = 1; lane < n_lanes; ++lane)
        if (a[lane] > a[best] || !(a[best] == a[best])) best = lane;
    return best;
}

} // namespace pillar::quantize
