#pragma once
// Dot products of AVX2 (dot.hpp).
// vpmaddubsw multiplies unsigned weights by signed activations and adds pairs in int16, saturating;
// vpmaddwd adds two such pairs in int32 and multiplies by the sub-block's scale on the way. Nothing
// saturates because |activation| ≤ 127: a pair is at most 2 · max · 127, and as many pairs are
// added in int16 as fit below 32768.

#include "scales.hpp"

namespace pillar::kernels::x86 {
namespace {

inline constexpr bool dots_take_eight_bits = false;
inline constexpr bool groups_in_tiles = true;
inline constexpr int max_activation = 127;
inline constexpr int max_int16 = 32767;

constexpr int larger(int a, int b) noexcept {
    return a < b ? b : a;
}

/// How many of a block's eight vectors can be added in int16: 8 for weights ≤ 15 (30480), 4 for ≤
/// 31 (31496), 2 for ≤ 63 (32004).
constexpr std::size_t vectors_a_sum(int max_weight) noexcept {
    std::size_t n = 8;
    while (n > 1 && static_cast<int>(2 * n) * max_weight * max_activation > max_int16) n /= 2;
    return n;
}

/// Σ over vectors [first, first + n) of weight · activation, two int16 sums a row.
template <std::size_t n>
inline Ints pair_sums(const Weights& w, std::size_t first, const std::int8_t* x) noexcept {
    Ints sum = _mm256_maddubs_epi16(w.v[first], broadcast_4_bytes(x + 4 * first));
    for (std::size_t j = first + 1; j < first + n; ++j) {
        sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(w.v[j], broadcast_4_bytes(x + 4 * j)));
        in_order(sum);
    }
    return sum;
}

/// The same of a tile of groups and `n_columns` columns, whose sums are all in registers: an
/// activation is read once for all groups, a weight once for all columns.
template <std::size_t n, std::size_t n_columns, class Block>
[[gnu::always_inline]] inline void pair_sums(const Block (&blocks)[tile_groups], std::size_t first,
                                             const std::int8_t* x,
                                             Ints (&sums)[tile_groups][n_columns]) noexcept {
    unrolled<n>([&](auto j) __attribute__((always_inline)) {
        Ints w[tile_groups];
        unrolled<tile_groups>([&](auto g) __attribute__((always_inline)) {
            w[g] = blocks[g].w.v[first + j];
            in_order(w[g]);
        });
        unrolled<n_columns>([&](auto c) __attribute__((always_inline)) {
            const Ints q = broadcast_4_bytes(x + c * block_size + 4 * (first + j));
            unrolled<tile_groups>([&](auto g) __attribute__((always_inline)) {
                const Ints pairs = _mm256_maddubs_epi16(w[g], q);
                sums[g][c] = j == 0 ? pairs : _mm256_add_epi16(sums[g][c], pairs);
                in_order(sums[g][c]);
            });
        });
    });
}

/// sums = Σ scale(g, first) · Σ of vectors [first, first + n) of group g.
template <std::size_t n, std::size_t n_columns, class Block, class Scale>
[[gnu::always_inline]] inline void scaled_sums(const Block (&blocks)[tile_groups],
                                               const std::int8_t* x, const Scale& scale,
                                               Ints (&sums)[tile_groups][n_columns]) noexcept {
    unrolled<8 / n>([&](auto i) __attribute__((always_inline)) {
        Ints pairs[tile_groups][n_columns];
        pair_sums<n>(blocks, n * i, x, pairs);
        for (std::size_t c = 0; c < n_columns; ++c)
            for (std::size_t g = 0; g < tile_groups; ++g) {
                const Ints sum = dot_16(pairs[g][c], scale(g, n * i));
                sums[g][c] = i == 0 ? sum : plus_32(sums[g][c], sum);
            }
    });
}

/// scale_low · Σ of weights 0–15 + scale_high · Σ of weights 16–31, one int32 a row. The scales are
/// int16, twice in each 32-bit lane.
template <class Bits>
inline Ints dot_halves(const Weights& w, const std::int8_t* x, Ints scale_low,
                       Ints scale_high) noexcept {
    constexpr std::size_t n = smaller(vectors_a_sum(Bits::max), 4);
    Ints sum = dot_16(pair_sums<n>(w, 0, x), scale_low);
    for (std::size_t j = n; j < 8; j += n)
        sum = plus_32(sum, dot_16(pair_sums<n>(w, j, x), j < 4 ? scale_low : scale_high));
    return sum;
}

/// scale · Σ of all 32 weights.
template <class Bits>
inline Ints scaled_sum(const Weights& w, const std::int8_t* x, Ints scale) noexcept {
    if constexpr (vectors_a_sum(Bits::max) == 8)
        return dot_16(pair_sums<8>(w, 0, x), scale);
    else
        return dot_halves<Bits>(w, x, scale, scale);
}

template <class Bits>
inline Ints dot(const Weights& w, const std::int8_t* x, Ints start) noexcept {
    return plus_32(start, scaled_sum<Bits>(w, x, fill_16(1)));
}
/// sums = Σ of group g.
template <class Bits, std::size_t n_columns, class Block>
[[gnu::always_inline]] inline void dots(const Block (&blocks)[tile_groups], const std::int8_t* x,
                                        Ints (&sums)[tile_groups][n_columns]) noexcept {
    const Ints one = fill_16(1);
    scaled_sums<vectors_a_sum(Bits::max)>(
        blocks, x, [&](std::size_t, std::size_t) { return one; }, sums);
}
/// sums = start[c] + Σ of group g.
template <class Bits, std::size_t n_columns, class Block>
[[gnu::always_inline]] inline void dots(const Block (&blocks)[tile_groups], const std::int8_t* x,
                                        const std::int32_t* start,
                                        Ints (&sums)[tile_groups][n_columns]) noexcept {
    dots<Bits>(blocks, x, sums);
    for (std::size_t c = 0; c < n_columns; ++c) {
        const Ints start_of_column = fill_32(start[c]);
        for (auto& of_group : sums) of_group[c] = plus_32(start_of_column, of_group[c]);
    }
}

/// One scale a row for all 32 weights: int16, twice.
struct WholeScale {
    Ints scale;

    /// Byte k of each lane, less `bias`.
    static WholeScale of_byte(Ints v, std::size_t k, std::int16_t bias) noexcept {
        return {minus_16(byte_twice(v, k), fill_16(bias))};
    }
    template <class Bits>
    Floats scaled_dot(const Weights& w, const std::int8_t* x) const noexcept {
        return to_floats(scaled_sum<Bits>(w, x, scale));
    }
    template <class Bits, std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                            const std::int8_t* x,
                                            Ints (&sums)[tile_groups][n_columns]) noexcept {
        scaled_sums<vectors_a_sum(Bits::max)>(
            blocks, x, [&](std::size_t g, std::size_t) { return blocks[g].scale.scale; }, sums);
    }
    static Floats of_dot(Ints dot) noexcept { return to_floats(dot); }
};

/// One scale a row for each 16 weights n − bias. Two int16 sums have the 16 weights of a half; they
/// begin at −bias · Σ of their own activations, so that they fit whatever they are on the way:
/// |n − bias| ≤ 32, 8 · 32 · 127 = 32512.
template <class Bits, int bias>
struct HalfScales {
    static_assert(8 * larger(bias, Bits::max - bias) * max_activation <= max_int16);

    Ints low, high;

    /// Both scales as int16 in each lane.
    static HalfScales of(Ints both) noexcept {
        return {either(x86::both(both, fill_32(0xFFFF)), shift_left_32<16>(both)),
                either(shift_right_32<16>(both), x86::both(both, fill_32(~0xFFFF)))};
    }
    using Dot = Ints;
    /// Where the two sums of each half start, two int16.
    struct Extra {
        std::int32_t low, high;
    };
    static constexpr Extra no_extra = {0, 0}; ///< where no bias is
    static Extra extra(const std::int8_t* x, const std::int16_t*) noexcept {
        // Σ of bytes 0, 1, 4, 5, … and of bytes 2, 3, 6, 7, … of each half
        Ints sums = _mm256_maddubs_epi16(fill_8(1), load_bytes(x));
        sums = plus_16(sums, _mm256_shuffle_epi32(sums, 0x4E));
        sums = plus_16(sums, _mm256_shuffle_epi32(sums, 0xB1));
        sums = _mm256_mullo_epi16(sums, fill_16(-bias));
        return {_mm256_extract_epi32(sums, 0), _mm256_extract_epi32(sums, 4)};
    }
    Floats scaled_dot(const Weights& w, const std::int8_t* x, Extra start) const noexcept {
        return to_floats(plus_32(dot_16(half_sums(w, 0, x, fill_32(start.low)), low),
                                 dot_16(half_sums(w, 4, x, fill_32(start.high)), high)));
    }
    template <std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                            const std::int8_t* x, const Extra* start,
                                            Dot (&sums)[tile_groups][n_columns]) noexcept {
        unrolled<2>([&](auto half) __attribute__((always_inline)) {
            Ints pairs[tile_groups][n_columns];
            pair_sums<4>(blocks, 4 * half, x, pairs);
            for (std::size_t c = 0; c < n_columns; ++c) {
                const Ints of_column = fill_32(half == 0 ? start[c].low : start[c].high);
                for (std::size_t g = 0; g < tile_groups; ++g) {
                    const Ints whole = bias == 0 ? pairs[g][c] : plus_16(pairs[g][c], of_column);
                    const auto& scales = blocks[g].scales;
                    const Ints sum = dot_16(whole, half == 0 ? scales.low : scales.high);
                    sums[g][c] = half == 0 ? sum : plus_32(sums[g][c], sum);
                }
            }
        });
    }
    Floats of_dot(Ints dot, Extra) const noexcept { return to_floats(dot); }

  private:
    static Ints half_sums(const Weights& w, std::size_t first, const std::int8_t* x,
                          Ints start) noexcept {
        const Ints sums = pair_sums<4>(w, first, x);
        return bias == 0 ? sums : plus_16(sums, start);
    }
};

/// Signed weights −128 … 127: magnitude times activation with the weight's sign. A pair is at most
/// 2 · 128 · 127 = 32512.
struct SignedWeights {
    Weights value;
    Weights magnitude;

    SignedWeights() = default;
    explicit SignedWeights(const Weights& w) noexcept : value(w) {
        for (std::size_t j = 0; j < 8; ++j) magnitude.v[j] = _mm256_abs_epi8(value.v[j]);
    }
};

inline Ints scaled_sum(const SignedWeights& w, const std::int8_t* x, Ints scale) noexcept {
    Ints sum = fill_32(0);
    for (std::size_t j = 0; j < 8; ++j) {
        Ints signed_x = _mm256_sign_epi8(broadcast_4_bytes(x + 4 * j), w.value.v[j]);
        in_order(signed_x);
        const Ints pairs = _mm256_maddubs_epi16(w.magnitude.v[j], signed_x);
        sum = plus_32(sum, dot_16(pairs, scale));
        in_order(sum);
    }
    return sum;
}

/// sums = scale(g) · Σ of group g.
template <std::size_t n_columns, class Block, class Scale>
[[gnu::always_inline]] inline void signed_sums(const Block (&blocks)[tile_groups],
                                               const std::int8_t* x, const Scale& scale,
                                               Ints (&sums)[tile_groups][n_columns]) noexcept {
    unrolled<8>([&](auto j) __attribute__((always_inline)) {
        Ints magnitude[tile_groups];
        unrolled<tile_groups>([&](auto g) __attribute__((always_inline)) {
            magnitude[g] = blocks[g].w.w.magnitude.v[j];
            in_order(magnitude[g]);
        });
        unrolled<n_columns>([&](auto c) __attribute__((always_inline)) {
            const Ints q = broadcast_4_bytes(x + c * block_size + 4 * j);
            unrolled<tile_groups>([&](auto g) __attribute__((always_inline)) {
                const Ints signed_q = _mm256_sign_epi8(q, blocks[g].w.w.value.v[j]);
                const Ints sum = dot_16(_mm256_maddubs_epi16(magnitude[g], signed_q), scale(g));
                sums[g][c] = j == 0 ? sum : plus_32(sums[g][c], sum);
                in_order(sums[g][c]);
            });
        });
    });
}

/// Signed bytes: no bias is needed.
struct LevelDot {
    static constexpr int bias = 0;
    SignedWeights w;

    LevelDot() = default;
    explicit LevelDot(const Weights& levels) noexcept : w(levels) {}
    static std::int32_t extra(std::int32_t) noexcept { return 0; }
    Ints dot(const std::int8_t* x, std::int32_t) const noexcept {
        return scaled_sum(w, x, fill_16(1));
    }
    template <std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                            const std::int8_t* x, const std::int32_t*,
                                            Ints (&sums)[tile_groups][n_columns]) noexcept {
        const Ints one = fill_16(1);
        signed_sums(
            blocks, x, [&](std::size_t) { return one; }, sums);
    }
    Floats scaled_dot(const std::int8_t* x, std::int32_t, const WholeScale& scale) const noexcept {
        return to_floats(scaled_sum(w, x, scale.scale));
    }
    template <std::size_t n_columns, class Block>
    [[gnu::always_inline]] static void scaled_dots(const Block (&blocks)[tile_groups],
                                                   const std::int8_t* x, const std::int32_t*,
                                                   Ints (&sums)[tile_groups][n_columns]) noexcept {
        signed_sums(
            blocks, x, [&](std::size_t g) { return blocks[g].scale.scale; }, sums);
    }
};

} // namespace
} // namespace pillar::kernels::x86
