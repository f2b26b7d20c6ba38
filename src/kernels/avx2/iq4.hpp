#pragma once
// The sixteen levels of IQ4_NL and IQ4_XS. A group keeps the file's nibbles, as FourBits lays them
// out; a byte shuffle looks their values up.

#include "bits.hpp"
#include "packing.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

namespace pillar::kernels::avx2 {
namespace {

/// From a value, as an unsigned byte, to the number of its level; 0 for all that are no level.
struct LevelNumbers {
    std::uint8_t of_value[256] = {};
    constexpr LevelNumbers() noexcept {
        for (std::uint8_t i = 0; i < 16; ++i)
            of_value[static_cast<std::uint8_t>(quant::iq4_values[i])] = i;
    }
};

struct Levels {
    static constexpr std::size_t bytes = FourBits::bytes;

    static Weights unpack(const std::byte* in) noexcept {
        const Ints values = _mm256_broadcastsi128_si256(load_16_bytes(quant::iq4_values));
        Weights w = FourBits::unpack(in);
        for (Ints& v : w.v) v = _mm256_shuffle_epi8(values, v);
        return w;
    }

    /// The number of each weight's level.
    static WeightBytes from(const RowBlocks& blocks) noexcept {
        static constexpr LevelNumbers numbers;
        WeightBytes w = weight_bytes(blocks, 0);
        for (auto& vector : w.v)
            for (std::uint8_t& weight : vector) weight = numbers.of_value[weight];
        return w;
    }
    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept { FourBits::pack(w, out); }
};

} // namespace
} // namespace pillar::kernels::avx2
