#pragma once
// MXFP4: a block of 32 of a group is a byte of exponent a row, then the nibbles of 4 rows.

#include "blocks.hpp"
#include "levels.hpp"

#include "pillar/quant/formats/low_bit/mxfp4.hpp"

namespace pillar::kernels::neon {
namespace {

template <class TheDot, class FileFormat>
struct MXFP4Block {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = Scale;
    using Bits = Levels<quant::mxfp4_values, 12>;
    static constexpr std::size_t bytes = group_rows + Bits::bytes;
    Floats d;
    Weights w;

    [[gnu::always_inline]] static MXFP4Block load(const std::byte* p) noexcept {
        return {load_scales(p), Bits::unpack(p + group_rows)};
    }
    [[gnu::always_inline]] Floats add(const Activation& x, const Numbers& of_block,
                                      Floats a) const noexcept {
        return add_scaled(d, of_block.load(), Dot::template dot<Bits::max>(w, x), a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        for (const std::byte* row : blocks.row) *out++ = row == nullptr ? std::byte{0} : row[0];
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, 0), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }

  private:
    /// 2^(e − 128), e = 255 infinite: first the float 2^(e − 127), whose exponent is e but for the
    /// subnormal one of e = 0.
    [[gnu::always_inline]] static Floats load_scales(const std::byte* p) noexcept {
        std::uint32_t four;
        std::memcpy(&four, p, sizeof four);
        const uint16x8_t e = vmovl_u8(vreinterpret_u8_u32(vset_lane_u32(four, vdup_n_u32(0), 0)));
        const uint32x4_t normal = vshlq_n_u32(vmovl_u16(vget_low_u16(e)), 23);
        return vmulq_n_f32(vreinterpretq_f32_u32(vmaxq_u32(normal, vdupq_n_u32(0x0040'0000))),
                           0.5f);
    }
};

} // namespace
} // namespace pillar::kernels::neon
