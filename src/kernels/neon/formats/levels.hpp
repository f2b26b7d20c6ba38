#pragma once
// Formats whose weights are one of sixteen levels: IQ4_NL, IQ4_XS, MXFP4. A group keeps the file's
// nibbles, as FourBits lays them out; TBL looks their values up.

#include "neon/products/bits.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

namespace pillar::kernels::neon {
namespace {

/// From a level, as an unsigned byte, to the lowest number of it; 0 for all that are no level.
struct LevelNumbers {
    std::uint8_t of_value[256] = {};
    explicit constexpr LevelNumbers(const std::int8_t (&values)[16]) noexcept {
        for (std::uint8_t i = 16; i-- > 0;) of_value[static_cast<std::uint8_t>(values[i])] = i;
    }
};

/// A width like those of bits.hpp.
template <const std::int8_t (&values)[16], int max_level>
struct Levels {
    static constexpr int max = max_level;
    static constexpr std::size_t bytes = FourBits::bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        static constexpr LevelNumbers numbers(values);
        WeightBytes n = w;
        for (auto& vector : n.v)
            for (std::uint8_t& weight : vector) weight = numbers.of_value[weight];
        FourBits::pack(n, out);
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        const Bytes table = load_bytes(values);
        Weights w = FourBits::unpack(in);
        unrolled<8>([&](std::size_t i) __attribute__((always_inline)) {
            w.v[i] = vqtbl1q_s8(table, vreinterpretq_u8_s8(w.v[i]));
        });
        return w;
    }
};
using IQ4Levels = Levels<quant::iq4_values, 127>;

} // namespace
} // namespace pillar::kernels::neon
