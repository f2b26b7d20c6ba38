#pragma once
// Eight floats that are computed alike: compilers' own vectors, so that one source serves every
// processor. Nothing here or in the encoders is ordered by how wide a register is: a sum has one
// order, and no product is contracted with an addition, so every processor finds the same bits.
// Always inlined: a file compiled for a newer instruction set must not lend its copy to the rest
// of the program.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

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

[[gnu::always_inline]] inline Lanes load(const float* values) {
    Floats v;
    std::memcpy(&v, values, sizeof v);
    return v;
}

/// The larger; b where one is not a number. GCC does not find the one instruction for it itself.
[[gnu::always_inline]] inline Lanes larger(Lanes a, Lanes b) {
#ifdef __AVX__
    return __builtin_ia32_maxps256(a.v, b.v);
#else
    return a.v > b.v ? a.v : b.v;
#endif
}
[[gnu::always_inline]] inline Lanes smaller(Lanes a, Lanes b) {
#ifdef __AVX__
    return __builtin_ia32_minps256(a.v, b.v);
#else
    return a.v < b.v ? a.v : b.v;
#endif
}
/// Between two bounds; the lower one of what is not a number.
[[gnu::always_inline]] inline Lanes clamp(Lanes a, Lanes lowest, Lanes highest) {
    return smaller(larger(a, lowest), highest);
}

/// Adding 1.5 · 2^23 to less than 2^22 in magnitude leaves no bits for the fraction: the nearest
/// whole number, half to even, is in the lowest bits.
inline constexpr float whole_shift = 0x1.8p23f;
inline constexpr std::int32_t whole_bits = 0x4B40'0000;

[[gnu::always_inline]] inline Lanes nearest(Lanes a) {
    return (a + Lanes(whole_shift)) - Lanes(whole_shift);
}
[[gnu::always_inline]] inline float nearest(float a) {
    return (a + whole_shift) - whole_shift;
}
/// Eight numbers of 32 bits; a struct for the same reason as Lanes.
struct Numbers {
    Integers v;
};
[[gnu::always_inline]] inline Numbers nearest_numbers(Lanes a) {
    return {reinterpret_cast<Integers>((a + Lanes(whole_shift)).v) - whole_bits};
}

/// Lane i has what lane i + Distance had, as long as there is one: a step of a tree over all lanes.
template <int Distance>
[[gnu::always_inline]] inline Lanes moved_down(Lanes a) {
    if constexpr (Distance == 4)
        return __builtin_shufflevector(a.v, a.v, 4, 5, 6, 7, 4, 5, 6, 7);
    else if constexpr (Distance == 2)
        return __builtin_shufflevector(a.v, a.v, 2, 3, 2, 3, 6, 7, 6, 7);
    else
        return __builtin_shufflevector(a.v, a.v, 1, 1, 3, 3, 5, 5, 7, 7);
}
[[gnu::always_inline]] inline float sum(Lanes a) {
    a += moved_down<4>(a);
    a += moved_down<2>(a);
    return a[0] + a[1];
}
/// The sums of four, in the first four lanes; the others are zeros.
[[gnu::always_inline]] inline Lanes four_sums(const Lanes (&a)[4]) {
    return Floats{sum(a[0]), sum(a[1]), sum(a[2]), sum(a[3]), 0, 0, 0, 0};
}
struct Ends {
    float lowest = 0.0f;
    float highest = 0.0f;
};
template <std::size_t N>
[[gnu::always_inline]] inline Ends ends_of(const float* x) {
    Lanes lowest = load(x);
    Lanes highest = lowest;
    for (std::size_t i = n_lanes; i < N; i += n_lanes) {
        lowest = smaller(load(x + i), lowest);
        highest = larger(load(x + i), highest);
    }
    lowest = smaller(lowest, moved_down<4>(lowest));
    lowest = smaller(lowest, moved_down<2>(lowest));
    highest = larger(highest, moved_down<4>(highest));
    highest = larger(highest, moved_down<2>(highest));
    return {smaller(lowest, moved_down<1>(lowest))[0], larger(highest, moved_down<1>(highest))[0]};
}

/// A lane with the largest value; what is not a number is never the largest.
[[gnu::always_inline]] inline std::size_t largest_lane(Lanes a) {
    Lanes lane = Lanes::counting_from(0.0f, 1.0f);
    constexpr float lowest = std::numeric_limits<float>::lowest();
    a = select(a > Lanes(lowest), a, Lanes(lowest));
    const auto keep_larger = [&](Lanes other, Lanes other_lane) __attribute__((always_inline)) {
        const Mask is_larger = other > a;
        a = select(is_larger, other, a);
        lane = select(is_larger, other_lane, lane);
    };
    keep_larger(moved_down<4>(a), moved_down<4>(lane));
    keep_larger(moved_down<2>(a), moved_down<2>(lane));
    keep_larger(moved_down<1>(a), moved_down<1>(lane));
    return static_cast<std::size_t>(lane[0]);
}

} // namespace pillar::quantize
