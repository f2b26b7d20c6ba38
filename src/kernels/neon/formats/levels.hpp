#pragma once
// The sixteen levels of IQ4_NL and IQ4_XS. A group keeps the file's nibbles, as FourBits lays them
// out; TBL looks their values up.

#include "neon/products/bits.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

namespace pillar::kernels::neon {
namespace {

/// From a value, as an unsigned byte, to the number of its level; 0 for all that are no level.
struct LevelNumbers {
    std::uint8_t of_value[256] = {};
    constexpr LevelNumbers() noexcept {
        for (std::uint8_t i = 0; i < 16; ++i)
            of_value[static_cast<std::uint8_t>(quant::iq4_values[i])] = i;
    }
};

/// A width like those of bits.hpp.
struct Levels {
    static constexpr int max = 127;
    static constexpr std::size_t bytes = FourBits::bytes;

    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        static constexpr LevelNumbers numbers;
        WeightBytes n = w;
        for (auto& vector : n.v)
            for (std::uint8_t& weight : vector) weight = numbers.of_value[weight];
        FourBits::pack(n, out);
    }
    [[gnu::always_inline]] static Weights unpack(const std::byte* in) noexcept {
        const Bytes values = load_bytes(quant::iq4_values);
        Weights w = FourBits::unpack(in);
        unrolled<8>([&](std::size_t i) __attribute__((always_inline)) {
            w.v[i] = vqtbl1q_s8(values, vreinterpretq_u8_s8(w.v[i]));
        });
        return w;
    }
};

} // namespace
} // namespace pillar::kernels::neon
