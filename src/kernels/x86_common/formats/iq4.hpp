#pragma once
// The sixteen levels of IQ4_NL and IQ4_XS. A group keeps the file's nibbles, as FourBits lays them
// out; a byte shuffle looks their values up.

#include "x86_common/products/dot.hpp"
#include "x86_common/products/packing.hpp"

#include "pillar/quant/formats/iq4_nl.hpp"

namespace pillar::kernels::x86 {
namespace {

/// The levels as dot products want them, and from a value, as an unsigned byte, to the number of
/// its level; 0 for all that are no level.
struct LevelTables {
    std::uint8_t value[16] = {};
    std::uint8_t number[256] = {};
    constexpr LevelTables() noexcept {
        for (std::uint8_t i = 0; i < 16; ++i) {
            value[i] = static_cast<std::uint8_t>(quant::iq4_values[i] + LevelDot::bias);
            number[static_cast<std::uint8_t>(quant::iq4_values[i])] = i;
        }
    }
};
constexpr LevelTables level_tables;

struct Levels {
    static constexpr std::size_t bytes = FourBits::bytes;

    static Weights unpack(const std::byte* in) noexcept {
        const Ints values = repeat_16_bytes(level_tables.value);
        Weights w = FourBits::unpack(in);
        for (Ints& v : w.v) v = shuffle_bytes(values, v);
        return w;
    }
    /// The number of each weight's level.
    static void pack(const RowBlocks& blocks, std::uint8_t* out) noexcept {
        WeightBytes w = weight_bytes(blocks, 0);
        for (auto& vector : w.v)
            for (std::uint8_t& weight : vector) weight = level_tables.number[weight];
        FourBits::pack(w, out);
    }
};

} // namespace
} // namespace pillar::kernels::x86
