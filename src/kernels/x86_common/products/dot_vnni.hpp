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
inline constexpr bool groups_in_tiles = true;    ///< where a panel is not in registers
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

inline const Ints (&vectors(const Weights& w) noexcept)[8] {
    return w.v;
}

/// The same of a tile of groups and `n_columns` columns, whose sums are all in registers: an
/// activation is read once for all groups, a weight once for all columns.
template <std::size_t n, std::size_t n_columns, class Block, class Start>
[[gnu::always_inline]] inline void
dot_vectors(const Block (&blocks)[tile_groups], std::size_t first, const std::int8_t* x,
            const Start& start, Ints (&sums)[tile_groups][n_columns]) noexcept {
    for (auto& of_group : sums)
        for (std::size_t c = 0; c < n_columns; ++c) of_group[c] = fill_32(start(c));
    unrolled<n>([&](auto j) __attribute__((always_inline)) {
        Ints w[tile_groups];
        unrolled<tile_groups>([&](auto g) __attribute__((always_inline)) {
            w[g] = vectors(blocks[g].w)[first + j];
            in_order(w[g]);
        });
        unrolled<n_columns>([&](auto c) __attribute__((always_inline)) {
            const Ints q = broadcast_4_bytes(x + c * block_size + 4 * (first + j));
            unrolled<tile_groups>([&](auto g) __attribute__((always_inline)) {
                sums[g][c] = dot_bytes(sums[g][c], w[g], q);
                in_order(sums[g][c]);
            });
        });
    });
}
template <class Bits, std::size_t n_columns, class Block>
[[gnu::always_inline]] inline void dots(const Block (&blocks)[tile_groups], const std::int8_t* x,
                                        const std::int32_t* start,
                                        Ints (&sums)[tile_groups][n_columns]) noexcept {
    dot_vectors<8>(
        blocks, 0, x, [&](std::size_t c) { return start[c]; }, sums);
}
template <class Bits, std::size_t n_columns, class Block>
[[gnu::always_inline]] inline void dots(const Block (&blocks)[tile_groups], const std::int8_t* x,
                                        Ints (&sums)[tile_groups][n_columns]) noexcept {
    dot_vectors<8>(
        blocks, 0, x, [](std::size_t) { return 0; }, sums);
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
    template <class Bits, std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                            const std::int8_t* x,
                                            Ints (&sums)[tile_groups][n_columns]) noexcept {
        dot_vectors<8>(
            blocks, 0, x, [](std::size_t) { return dot_origin_bits; }, sums);
    }
    Floats of_dot(Ints dot) const noexcept { return scaled(dot); }
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
    static Extra extra(const std::int8_t*, const std::int16_t* half_sum) noexcept {
        return {dot_origin_bits - bias * half_sum[0], -bias * half_sum[1]};
    }
    [[gnu::always_inline]] Floats scaled_dot(const Weights& w, const std::int8_t* x,
                                             Extra start) const noexcept {
        const Floats first = low.scaled(dot_vectors<4>(w, 0, x, fill_32(start.low)));
        return fma(to_floats(dot_vectors<4>(w, 4, x, fill_32(start.high))), high, first);
    }
    struct Dot {
        Ints low, high;
    };
    template <std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                            const std::int8_t* x, const Extra* start,
                                            Dot (&sums)[tile_groups][n_columns]) noexcept {
        Ints low[tile_groups][n_columns], high[tile_groups][n_columns];
        dot_vectors<4>(
            blocks, 0, x, [&](std::size_t c) { return start[c].low; }, low);
        dot_vectors<4>(
            blocks, 4, x, [&](std::size_t c) { return start[c].high; }, high);
        for (std::size_t g = 0; g < tile_groups; ++g)
            for (std::size_t c = 0; c < n_columns; ++c) sums[g][c] = {low[g][c], high[g][c]};
    }
    Floats of_dot(Dot dot, Extra) const noexcept {
        return fma(to_floats(dot.high), high, low.scaled(dot.low));
    }
};

/// Levels + 128 are unsigned bytes.
struct LevelDot {
    static constexpr int bias = 128;
    Weights w;

    LevelDot() = default;
    explicit LevelDot(const Weights& levels) noexcept : w(levels) {}
    static std::int32_t extra(std::int32_t sum) noexcept { return dot_origin_bits - bias * sum; }
    Ints dot(const std::int8_t* x, std::int32_t start) const noexcept {
        return dot_vectors<8>(w, 0, x, fill_32(start - dot_origin_bits));
    }
    Floats scaled_dot(const std::int8_t* x, std::int32_t start,
                      const WholeScale& scale) const noexcept {
        return scale.scaled(dot_vectors<8>(w, 0, x, fill_32(start)));
    }
    template <std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                            const std::int8_t* x, const std::int32_t* start,
                                            Ints (&sums)[tile_groups][n_columns]) noexcept {
        dot_vectors<8>(
            blocks, 0, x, [&](std::size_t c) { return start[c] - dot_origin_bits; }, sums);
    }
    template <std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void scaled_dots(const Block (&blocks)[tile_groups],
                                                   const std::int8_t* x, const std::int32_t* start,
                                                   Ints (&sums)[tile_groups][n_columns]) noexcept {
        dot_vectors<8>(
            blocks, 0, x, [&](std::size_t c) { return start[c]; }, sums);
    }
};
inline const Ints (&vectors(const LevelDot& dot) noexcept)[8] {
    return dot.w.v;
}

} // namespace
} // namespace pillar::kernels::x86
