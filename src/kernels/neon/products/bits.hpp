#pragma once
// How the weight integers of one block of 32 and 4 rows are packed, for each width in bits, and how
// they come back as vectors. Which weight lies where in the eight vectors is the affair of the dot
// product (smlal.hpp, dotprod/sdot.hpp). A packed block takes 16 bytes for each bit of width, as
// in the file.
//
// Narrow weights are spread over vectors of their own in such a way that SLI (shift left and
// insert) puts the pieces together at the top of the byte, from where one right shift brings them
// down: as a signed number, or as an unsigned one. Formats with a bias keep n − bias, so that it
// costs nothing.

#include "neon/simd.hpp"

namespace pillar::kernels::neon {
namespace {

inline constexpr std::size_t group_rows = 4; ///< rows a group of every block format

/// The 128 weights of a block as eight vectors.
struct Weights {
    Bytes v[8];
};
/// The same as bytes in memory, for packing.
struct WeightBytes {
    std::uint8_t v[8][16];
};

enum class Sign : bool { without, with };

/// The top `width` bits of every byte as a number.
template <int width, Sign sign>
inline Bytes top_bits(uint8x16_t v) noexcept {
    if constexpr (sign == Sign::with)
        return vshrq_n_s8(vreinterpretq_s8_u8(v), 8 - width);
    else
        return vreinterpretq_s8_u8(vshrq_n_u8(v, 8 - width));
}
/// `width` bits of every byte that begin at bit `shift`, as a number.
template <int width, int shift, Sign sign>
inline Bytes bits(uint8x16_t v) noexcept {
    if constexpr (sign == Sign::without && shift == 0)
        return vreinterpretq_s8_u8(vandq_u8(v, vdupq_n_u8((1 << width) - 1)));
    else if constexpr (shift + width == 8)
        return top_bits<width, sign>(v);
    else
        return top_bits<width, sign>(vshlq_n_u8(v, 8 - width - shift));
}

inline uint8x16_t load(const std::byte* p) noexcept {
    return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p));
}

/// Three bytes hold four 6-bit numbers: a, b, c at their top, and a piece of the fourth in the two
/// low bits of each, its top piece in a.
inline void pack_four_in_three(const std::uint8_t* const (&in)[4], std::size_t n,
                               std::uint8_t* out) noexcept {
    for (std::size_t part = 0; part < 3; ++part)
        for (std::size_t i = 0; i < n; ++i)
            out[part * n + i] =
                static_cast<std::uint8_t>(in[part][i] << 2 | ((in[3][i] >> (4 - 2 * part)) & 3));
}
template <Sign sign>
inline void unpack_four_in_three(uint8x16_t a, uint8x16_t b, uint8x16_t c, Bytes* out) noexcept {
    out[0] = top_bits<6, sign>(a);
    out[1] = top_bits<6, sign>(b);
    out[2] = top_bits<6, sign>(c);
    out[3] = top_bits<6, sign>(vsliq_n_u8(vsliq_n_u8(vshlq_n_u8(c, 2), b, 4), a, 6));
}

/// 1 bit, the signs of 1 and −1. They come back as masks: all bits of a byte are set where the
/// weight is 1. Bit j of a byte: w[j].
struct OneBit {
    static constexpr int max = 1;
    static constexpr std::size_t bytes = 16;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t k = 0; k < 16; ++k) {
            int byte = 0;
            for (std::size_t j = 0; j < 8; ++j) byte |= (w.v[j][k] == 1 ? 1 : 0) << j;
            out[k] = static_cast<std::uint8_t>(byte);
        }
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        const uint8x16_t p = load(in);
        Weights masks;
        unrolled<8>([&](std::size_t j) __attribute__((always_inline)) {
            uint8x16_t mask = vtstq_u8(p, vdupq_n_u8(static_cast<std::uint8_t>(1u << j)));
            asm("" : "+w"(mask)); // or g++ makes AND, CMEQ and BIC of this and what it chooses
            masks.v[j] = vreinterpretq_s8_u8(mask);
        });
        return masks;
    }
};

/// 2 bits, 0 … 3. Vector i: w[4i] | w[4i+1] << 2 | w[4i+2] << 4 | w[4i+3] << 6.
struct TwoBits {
    static constexpr int max = 3;
    static constexpr std::size_t bytes = 2 * 16;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t i = 0; i < 2; ++i)
            for (std::size_t k = 0; k < 16; ++k)
                out[16 * i + k] =
                    static_cast<std::uint8_t>(w.v[4 * i][k] | w.v[4 * i + 1][k] << 2 |
                                              w.v[4 * i + 2][k] << 4 | w.v[4 * i + 3][k] << 6);
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        unrolled<2>([&](std::size_t i) __attribute__((always_inline)) {
            const uint8x16_t p = load(in + 16 * i);
            w.v[4 * i] = bits<2, 0, Sign::without>(p);
            w.v[4 * i + 1] = bits<2, 0, Sign::without>(vshrq_n_u8(p, 2));
            w.v[4 * i + 2] = bits<2, 0, Sign::without>(vshrq_n_u8(p, 4));
            w.v[4 * i + 3] = bits<2, 6, Sign::without>(p);
        });
        return w;
    }
};

/// 3 bits, −4 … 3. Vector i: w[2i] at the top, w[2i+1] below it; in the two bits left: vectors 0
/// and 1 the high pairs of w[6] and w[7], vector 2 their low bits.
struct ThreeBits {
    static constexpr int max = 4;
    static constexpr std::size_t bytes = 3 * 16;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t k = 0; k < 16; ++k) {
            const int w6 = w.v[6][k] & 7, w7 = w.v[7][k] & 7;
            const int left[3] = {w6 >> 1, w7 >> 1, (w6 & 1) << 1 | (w7 & 1)};
            for (std::size_t i = 0; i < 3; ++i)
                out[16 * i + k] = static_cast<std::uint8_t>(w.v[2 * i][k] << 5 |
                                                            (w.v[2 * i + 1][k] & 7) << 2 | left[i]);
        }
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        const uint8x16_t a = load(in), b = load(in + 16), c = load(in + 32);
        return {bits<3, 5, Sign::with>(a),
                bits<3, 2, Sign::with>(a),
                bits<3, 5, Sign::with>(b),
                bits<3, 2, Sign::with>(b),
                bits<3, 5, Sign::with>(c),
                bits<3, 2, Sign::with>(c),
                top_bits<3, Sign::with>(vsliq_n_u8(vshlq_n_u8(c, 4), a, 6)),
                top_bits<3, Sign::with>(vsliq_n_u8(vshlq_n_u8(c, 5), b, 6))};
    }
};

/// 4 bits, 0 … 15. Vector i: w[2i] | w[2i+1] << 4.
struct FourBits {
    static constexpr int max = 15;
    static constexpr std::size_t bytes = 4 * 16;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t k = 0; k < 16; ++k)
                out[16 * i + k] = static_cast<std::uint8_t>(w.v[2 * i][k] | w.v[2 * i + 1][k] << 4);
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        unrolled<4>([&](std::size_t i) __attribute__((always_inline)) {
            const uint8x16_t p = load(in + 16 * i);
            w.v[2 * i] = bits<4, 0, Sign::without>(p);
            w.v[2 * i + 1] = bits<4, 4, Sign::without>(p);
        });
        return w;
    }
};

/// 5 bits, −16 … 15 or 0 … 31. Vector i holds w[i] at its top, i = 0 … 4, and below it, in bits 2
/// to 0:
///   0, 1, 2  the top three bits of w[5], w[6], w[7]
///   3        the low two of w[5], then bit 1 of w[7]
///   4        the low two of w[6], then bit 0 of w[7]
template <Sign sign>
struct FiveBits {
    static constexpr int max = sign == Sign::with ? 16 : 31;
    static constexpr std::size_t bytes = 5 * 16;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t k = 0; k < 16; ++k) {
            const int w5 = w.v[5][k] & 31, w6 = w.v[6][k] & 31, w7 = w.v[7][k] & 31;
            const int below[5] = {w5 >> 2, w6 >> 2, w7 >> 2, (w5 & 3) << 1 | ((w7 >> 1) & 1),
                                  (w6 & 3) << 1 | (w7 & 1)};
            for (std::size_t i = 0; i < 5; ++i)
                out[16 * i + k] = static_cast<std::uint8_t>(w.v[i][k] << 3 | below[i]);
        }
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        uint8x16_t p[5];
        Weights w;
        unrolled<5>([&](std::size_t i) __attribute__((always_inline)) {
            p[i] = load(in + 16 * i);
            w.v[i] = top_bits<5, sign>(p[i]);
        });
        w.v[5] = top_bits<5, sign>(vsliq_n_u8(vshlq_n_u8(p[3], 2), p[0], 5));
        w.v[6] = top_bits<5, sign>(vsliq_n_u8(vshlq_n_u8(p[4], 2), p[1], 5));
        const uint8x16_t low = vsliq_n_u8(vshlq_n_u8(p[4], 3), p[3], 4);
        w.v[7] = top_bits<5, sign>(vsliq_n_u8(low, p[2], 5));
        return w;
    }
};

/// 6 bits, −32 … 31. Vectors 0–2 hold w[0] … w[3], vectors 3–5 hold w[4] … w[7], four in three.
struct SixBits {
    static constexpr int max = 32;
    static constexpr std::size_t bytes = 6 * 16;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        pack_four_in_three({w.v[0], w.v[1], w.v[2], w.v[3]}, 16, out);
        pack_four_in_three({w.v[4], w.v[5], w.v[6], w.v[7]}, 16, out + 3 * 16);
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        unpack_four_in_three<Sign::with>(load(in), load(in + 16), load(in + 32), w.v);
        unpack_four_in_three<Sign::with>(load(in + 48), load(in + 64), load(in + 80), w.v + 4);
        return w;
    }
};

/// 8 bits, −128 … 127.
struct EightBits {
    static constexpr int max = 128;
    static constexpr std::size_t bytes = 8 * 16;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        std::memcpy(out, w.v, sizeof w.v);
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        unrolled<8>([&](std::size_t i)
                        __attribute__((always_inline)) { w.v[i] = load_bytes(in + 16 * i); });
        return w;
    }
};

} // namespace
} // namespace pillar::kernels::neon
