#pragma once
// How the weight integers of one block of 32 and of a group's rows are laid out, for each width in
// bits, and how they come back as vectors. All widths unpack to the same order: 32-bit lane r of
// vector j holds weights 4j … 4j+3 of row r, so that one broadcast of four activations meets all
// rows. A packed block takes one vector for each bit of width, as many bytes as in the file.

#include "x86_common/simd.hpp"

namespace pillar::kernels::x86 {
namespace {

/// Eight vectors of 32 weights: byte 4r + k of vector j is weight 4j + k of row r.
struct Weights {
    Ints v[8];
};
/// The same as bytes in memory, for packing. Unsigned: the format's bias is added.
struct WeightBytes {
    std::uint8_t v[8][vector_bytes];
};

/// Three bytes hold four 6-bit numbers: a, b, c in their low bits, the fourth in their top pairs.
inline void pack_four_in_three(const std::uint8_t* const (&in)[4], std::size_t n,
                               std::uint8_t* out) noexcept {
    for (std::size_t part = 0; part < 3; ++part)
        for (std::size_t i = 0; i < n; ++i)
            out[part * n + i] =
                static_cast<std::uint8_t>(in[part][i] | ((in[3][i] >> (2 * part)) & 3) << 6);
}
inline void unpack_four_in_three(Ints a, Ints b, Ints c, Ints* out) noexcept {
    out[0] = bits<0>(a, 0x3F);
    out[1] = bits<0>(b, 0x3F);
    out[2] = bits<0>(c, 0x3F);
    out[3] = either(bits<6>(a, 0x03), either(bits<4>(b, 0x0C), bits<2>(c, 0x30)));
}

/// 1 bit, for the numbers 0 and 2, which are a sign with the bias 1. Bit j of a byte: w[j] / 2. How
/// such vectors lie in memory: bit_planes.hpp.
struct OneBit {
    static constexpr int max = 2;

    static Weights spread(Ints p) noexcept {
        return {both(shift_left_16<1>(p), fill_8(2)),
                bits<0>(p, 2),
                bits<1>(p, 2),
                bits<2>(p, 2),
                bits<3>(p, 2),
                bits<4>(p, 2),
                bits<5>(p, 2),
                bits<6>(p, 2)};
    }
};

/// 2 bits. Vector i: w[4i] | w[4i+1] << 2 | w[4i+2] << 4 | w[4i+3] << 6.
struct TwoBits {
    static constexpr int max = 3;
    static constexpr std::size_t bytes = 2 * vector_bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t i = 0; i < 2; ++i)
            for (std::size_t k = 0; k < vector_bytes; ++k)
                out[vector_bytes * i + k] =
                    static_cast<std::uint8_t>(w.v[4 * i][k] | w.v[4 * i + 1][k] << 2 |
                                              w.v[4 * i + 2][k] << 4 | w.v[4 * i + 3][k] << 6);
    }
    static Weights unpack(const std::byte* in) noexcept {
        const Ints a = load_bytes(in);
        const Ints b = load_bytes(in + vector_bytes);
        return {bits<0>(a, 3), bits<2>(a, 3), bits<4>(a, 3), bits<6>(a, 3),
                bits<0>(b, 3), bits<2>(b, 3), bits<4>(b, 3), bits<6>(b, 3)};
    }
};

/// 3 bits. Vector i: w[2i] | w[2i+1] << 3; in the two bits left: vectors 0 and 1 the low pairs of
/// w[6] and w[7], vector 2 their third bits.
struct ThreeBits {
    static constexpr int max = 7;
    static constexpr std::size_t bytes = 3 * vector_bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t k = 0; k < vector_bytes; ++k) {
            const int left[3] = {w.v[6][k] & 3, w.v[7][k] & 3,
                                 w.v[6][k] >> 2 | (w.v[7][k] >> 2) << 1};
            for (std::size_t i = 0; i < 3; ++i)
                out[vector_bytes * i + k] = static_cast<std::uint8_t>(
                    w.v[2 * i][k] | w.v[2 * i + 1][k] << 3 | left[i] << 6);
        }
    }
    static Weights unpack(const std::byte* in) noexcept {
        const Ints a = load_bytes(in);
        const Ints b = load_bytes(in + vector_bytes);
        const Ints c = load_bytes(in + 2 * vector_bytes);
        return {bits<0>(a, 7),
                bits<3>(a, 7),
                bits<0>(b, 7),
                bits<3>(b, 7),
                bits<0>(c, 7),
                bits<3>(c, 7),
                either(bits<6>(a, 3), bits<4>(c, 4)),
                either(bits<6>(b, 3), bits<5>(c, 4))};
    }
};

/// 4 bits. Vector i: w[i] | w[i+4] << 4.
struct FourBits {
    static constexpr int max = 15;
    static constexpr std::size_t bytes = 4 * vector_bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t k = 0; k < vector_bytes; ++k)
                out[vector_bytes * i + k] =
                    static_cast<std::uint8_t>(w.v[i][k] | w.v[i + 4][k] << 4);
    }
    static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        for (std::size_t i = 0; i < 4; ++i) {
            const Ints packed = load_bytes(in + vector_bytes * i);
            w.v[i] = bits<0>(packed, 15);
            w.v[i + 4] = bits<4>(packed, 15);
        }
        return w;
    }
};

/// 5 bits. Vector i holds w[i], i = 0 … 4, and above it, in bits 5 to 7:
///   0, 1, 2  bits 0–2 of w[5], w[6], w[7]
///   3        bit 3 of w[6], then bits 3–4 of w[5]
///   4        bit 4 of w[6], then bits 3–4 of w[7]
struct FiveBits {
    static constexpr int max = 31;
    static constexpr std::size_t bytes = 5 * vector_bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        for (std::size_t k = 0; k < vector_bytes; ++k) {
            const int w5 = w.v[5][k], w6 = w.v[6][k], w7 = w.v[7][k];
            const int above[5] = {w5 & 7, w6 & 7, w7 & 7, ((w6 >> 3) & 1) | (w5 >> 3) << 1,
                                  w6 >> 4 | (w7 >> 3) << 1};
            for (std::size_t i = 0; i < 5; ++i)
                out[vector_bytes * i + k] = static_cast<std::uint8_t>(w.v[i][k] | above[i] << 5);
        }
    }
    static Weights unpack(const std::byte* in) noexcept {
        Ints p[5];
        for (std::size_t i = 0; i < 5; ++i) p[i] = load_bytes(in + vector_bytes * i);
        Weights w;
        for (std::size_t i = 0; i < 5; ++i) w.v[i] = bits<0>(p[i], 31);
        w.v[5] = either(bits<5>(p[0], 7), bits<3>(p[3], 0x18));
        w.v[6] = either(bits<5>(p[1], 7), either(bits<2>(p[3], 0x08), bits<1>(p[4], 0x10)));
        w.v[7] = either(bits<5>(p[2], 7), bits<3>(p[4], 0x18));
        return w;
    }
};

/// 6 bits. Vectors 0–2 hold w[0] … w[3], vectors 3–5 hold w[4] … w[7], four in three.
struct SixBits {
    static constexpr int max = 63;
    static constexpr std::size_t bytes = 6 * vector_bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        pack_four_in_three({w.v[0], w.v[1], w.v[2], w.v[3]}, vector_bytes, out);
        pack_four_in_three({w.v[4], w.v[5], w.v[6], w.v[7]}, vector_bytes, out + 3 * vector_bytes);
    }
    static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        for (std::size_t h = 0; h < 2; ++h, in += 3 * vector_bytes)
            unpack_four_in_three(load_bytes(in), load_bytes(in + vector_bytes),
                                 load_bytes(in + 2 * vector_bytes), w.v + 4 * h);
        return w;
    }
};

/// 8 bits: vectors as they are.
struct EightBits {
    static constexpr int max = 255;
    static constexpr std::size_t bytes = 8 * vector_bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        std::memcpy(out, w.v, bytes);
    }
    static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        for (std::size_t j = 0; j < 8; ++j) w.v[j] = load_bytes(in + vector_bytes * j);
        return w;
    }
};

} // namespace
} // namespace pillar::kernels::x86
