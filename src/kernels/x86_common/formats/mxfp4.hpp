#pragma once
// MXFP4: a block of 32 of a group is a byte of exponent a row, then the file's nibbles as FourBits
// lays them out; a byte shuffle looks up the levels, + 12 so that they are unsigned.

#include "blocks.hpp"

#include "pillar/quant/formats/low_bit/mxfp4.hpp"

namespace pillar::kernels::x86 {
namespace {

/// The levels + 12, and from such a number to that of its level.
struct MXFP4Tables {
    static constexpr int bias = 12;
    std::uint8_t value[16] = {};
    std::uint8_t number[2 * bias + 1] = {};
    constexpr MXFP4Tables() noexcept {
        for (std::uint8_t i = 16; i-- > 0;) { // zero is level 0 rather than its negative, 8
            value[i] = static_cast<std::uint8_t>(quant::mxfp4_values[i] + bias);
            number[value[i]] = i;
        }
    }
};
constexpr MXFP4Tables mxfp4_tables;

/// A width like those of bits.hpp: 0 … 24.
struct MXFP4Levels {
    static constexpr int max = 2 * MXFP4Tables::bias;
    static constexpr std::size_t bytes = FourBits::bytes;

    static void pack(WeightBytes w, std::uint8_t* out) noexcept {
        for (auto& vector : w.v)
            for (std::uint8_t& weight : vector) weight = mxfp4_tables.number[weight];
        FourBits::pack(w, out);
    }
    static Weights unpack(const std::byte* in) noexcept {
        const Ints values = repeat_16_bytes(mxfp4_tables.value);
        Weights w = FourBits::unpack(in);
        for (Ints& v : w.v) v = shuffle_bytes(values, v);
        return w;
    }
};

struct MXFP4Block {
    using File = quant::MXFP4;
    using Extra = std::int32_t;
    static constexpr std::size_t bytes = group_rows + MXFP4Levels::bytes;
    Floats d;
    Weights w;

    static MXFP4Block load(const std::byte* p) noexcept {
        return {load_scales(p), MXFP4Levels::unpack(p + group_rows)};
    }
    static Extra extra(float, std::int32_t sum, const std::int16_t*) noexcept {
        return -MXFP4Tables::bias * sum;
    }
    Floats add(const std::int8_t* x, float dx, Extra minus_bias, Floats a) const noexcept {
        return add_dot(dot<MXFP4Levels>(w, x, fill_32(minus_bias)), dx, minus_bias, a);
    }
    template <std::size_t n_columns>
    [[gnu::always_inline]] static void dots_of(const MXFP4Block (&blocks)[tile_groups],
                                               const std::int8_t* x, const Extra* minus_bias,
                                               Ints (&sums)[tile_groups][n_columns]) noexcept {
        dots<MXFP4Levels>(blocks, x, minus_bias, sums);
    }
    Floats add_dot(Ints dot, float dx, Extra, Floats a) const noexcept {
        return add_scaled(d, dx, dot, a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        for (const std::byte* row : blocks.row) *out++ = row == nullptr ? std::byte{0} : row[0];
        MXFP4Levels::pack(weight_bytes(unpack_rows<File>(blocks, 0), MXFP4Tables::bias),
                          reinterpret_cast<std::uint8_t*>(out));
        return out + MXFP4Levels::bytes;
    }

  private:
    /// 2^(e − 128), e = 255 infinite: first the float 2^(e − 127), whose exponent is e but for the
    /// subnormal one of e = 0.
    static Floats load_scales(const std::byte* p) noexcept {
        const Ints normal = shift_left_32<23>(load_u8_as_32(p));
        return times(as_floats(larger_32(normal, fill_32(0x0040'0000))), fill(0.5f));
    }
};

} // namespace
} // namespace pillar::kernels::x86
