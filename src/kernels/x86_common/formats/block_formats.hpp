#pragma once
// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL.

#include "blocks.hpp"
#include "iq4.hpp"

#include "pillar/quant/formats/q4_0.hpp"
#include "pillar/quant/formats/q4_1.hpp"
#include "pillar/quant/formats/q5_0.hpp"
#include "pillar/quant/formats/q5_1.hpp"
#include "pillar/quant/formats/q8_0.hpp"

namespace pillar::kernels::x86 {
namespace {

/// d · n with signed n: what it takes is LevelDot's affair.
template <class FileFormat, class Bits>
struct SignedBlock {
    using File = FileFormat;
    using Extra = std::int32_t;
    static constexpr std::size_t bytes = half_bytes + Bits::bytes;
    Floats d;
    LevelDot w;

    static SignedBlock load(const std::byte* p) noexcept {
        return {load_halves(p), LevelDot(Bits::unpack(p + half_bytes))};
    }
    static Extra extra(float, std::int32_t sum, const std::int16_t*) noexcept {
        return LevelDot::extra(sum);
    }
    Floats add(const std::int8_t* x, float dx, Extra extra_of_block, Floats a) const noexcept {
        return add_dot(w.dot(x, extra_of_block), dx, extra_of_block, a);
    }
    template <std::size_t n_columns>
    [[gnu::always_inline]] static void dots_of(const SignedBlock (&blocks)[tile_groups],
                                               const std::int8_t* x, const Extra* start,
                                               Ints (&sums)[tile_groups][n_columns]) noexcept {
        LevelDot::dots(blocks, x, start, sums);
    }
    Floats add_dot(Ints dot, float dx, Extra, Floats a) const noexcept {
        return add_scaled(d, dx, dot, a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, false, out);
        Bits::pack(unpack_rows<File>(blocks, 0), reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// The bytes of Q8_0, as LevelDot wants them.
struct SignedBytes {
    static constexpr std::size_t bytes = EightBits::bytes;
    static Weights unpack(const std::byte* in) noexcept { return EightBits::unpack(in); }
    static void pack(const RowBlocks& blocks, std::uint8_t* out) noexcept {
        EightBits::pack(weight_bytes(blocks, LevelDot::bias), out);
    }
};

constexpr BlockFormats all_block_formats() noexcept {
    return {.q4_0 = format_of_blocks<BiasedBlock<quant::Q4_0, FourBits, 8>>(),
            .q4_1 = format_of_blocks<AffineBlock<quant::Q4_1, FourBits>>(),
            .q5_0 = format_of_blocks<BiasedBlock<quant::Q5_0, FiveBits, 16>>(),
            .q5_1 = format_of_blocks<AffineBlock<quant::Q5_1, FiveBits>>(),
            .q8_0 = format_of_blocks<SignedBlock<quant::Q8_0, SignedBytes>>(),
            .iq4_nl = format_of_blocks<SignedBlock<quant::IQ4_NL, Levels>>()};
}

} // namespace
} // namespace pillar::kernels::x86
