#pragma once
// The sixteen levels of IQ4_NL and IQ4_XS. A group keeps the file's nibbles, as FourBits lays them
// out; a byte shuffle looks their values up.

#include "bits.hpp"
#include "packing.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

namespace pillar::kernels::avx2 {
namespace {

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
        WeightBytes w = weight_bytes(blocks, 0);
        for (auto& vector : w.v)
            for (std::uint8_t& weight : vector) weight = level_of(static_cast<std::int8_t>(weight));
        return w;
    }
    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept { FourBits::pack(w, out); }

  private:
    /// The levels ascend: count those below. (A missing row's 0 becomes some level; its d is 0.)
    static std::uint8_t level_of(std::int8_t value) noexcept {
        int below = 0;
        for (std::size_t i = 1; i < 16; ++i) below += quant::iq4_values[i] <= value ? 1 : 0;
        return static_cast<std::uint8_t>(below);
    }
};

} // namespace
} // namespace pillar::kernels::avx2
