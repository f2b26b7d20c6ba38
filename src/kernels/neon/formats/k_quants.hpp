#pragma once
// The formats of super-blocks, over a dot product. Segments of 4 rows:
//   Q2_K    d, dmin; for each block 8 bytes (byte 4h + r: scale of half h of row r in the low
//           nibble, its min in the high one), 32 bytes of weights
//   Q3_K    d; 48 bytes with two 6-bit scales a block (scales.hpp); for each block 48 bytes
//   Q4_K    d, dmin; 48 bytes with the 6-bit scale and min of each block; for each block 64 bytes
//   Q5_K    the same; for each block 80 bytes
//   Q6_K    d; for each block 8 bytes (byte 4h + r: scale of half h of row r), 96 bytes of weights
//   IQ4_XS  d; 24 bytes with the 6-bit scale of each block; for each block 64 bytes of nibbles
// Biased weights and scales are kept without their bias, as signed numbers.

#include "levels.hpp"
#include "neon/products/scales.hpp"
#include "super_blocks.hpp"

#include "pillar/quant/formats.hpp"

namespace pillar::kernels::neon {
namespace {

inline int16x8_t widen(int8x8_t v) noexcept {
    return vmovl_s8(v);
}
/// A scale for each row, as integers for a single column: one multiplication in int32. For several
/// columns as f32: converted once a block, it spares the unit that multiplies the weights.
template <std::size_t C>
struct RowScales {
    Floats scale;
    explicit RowScales(int16x4_t v) noexcept : scale(vcvtq_f32_s32(vmovl_s16(v))) {}
    /// scale · dot, below 2^24: exact.
    Floats times(Ints dot) const noexcept { return vmulq_f32(vcvtq_f32_s32(dot), scale); }
};
template <>
struct RowScales<1> {
    Ints scale;
    explicit RowScales(int16x4_t v) noexcept : scale(vmovl_s16(v)) {}
    Floats times(Ints dot) const noexcept { return vcvtq_f32_s32(vmulq_s32(dot, scale)); }
};

/// Q4_K, Q5_K: unsigned weights, a scale and a min for each block.
template <class TheDot, class FileFormat, class Bits>
struct ScaledAndShifted {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = ScaleAndBlockSum;
    using Header = SixBitFields<2, Sign::without>;
    static constexpr std::size_t header_bytes = 16 + Header::bytes;
    static constexpr std::size_t block_bytes = Bits::bytes;
    static constexpr bool with_min = true;

    template <std::size_t C>
    struct Block {
        Weights w;
        RowScales<C> scale;
        int16x4_t min;

        [[gnu::always_inline]] Floats scaled_dot(const Activation& x) const noexcept {
            return scale.times(Dot::template dot<Bits::max>(w, x));
        }
        [[gnu::always_inline]] Floats
        scaled_min(const typename Numbers::Loaded& numbers) const noexcept {
            return vcvtq_f32_s32(vmull_lane_s16(min, numbers.sums(), 2));
        }
    };

    static Header load_header(const std::byte* p) noexcept { return Header::load(p + 16); }
    template <std::size_t C>
    [[gnu::always_inline]] static Block<C> load_block(const std::byte* p, const Header& header,
                                                      std::size_t sub, std::size_t i) noexcept {
        const int16x8_t fields = header.template widened<C == 1>(sub, i);
        return {Bits::unpack(p), RowScales<C>(vget_low_s16(fields)), vget_high_s16(fields)};
    }

    static std::byte* pack_scales(const FileBlocks& blocks, std::byte* out) noexcept {
        Header header;
        for (std::size_t sub = 0; sub < super_block_blocks; ++sub) {
            const RowBlocks rows = unpack_rows<File>(blocks, sub);
            for (std::size_t r = 0; r < group_rows; ++r) {
                header.set(sub, 0, r, rows.row[r].scale[0]);
                header.set(sub, 1, r, rows.row[r].min[0]);
            }
        }
        return header.pack(out);
    }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, sub), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// Weights with a signed scale for each 16 of them: Q3_K, Q6_K.
template <class Dot, class Bits>
struct ScaledHalves {
    Weights w;
    typename Dot::template HalfScales<Bits::max> scale;

    [[gnu::always_inline]] Floats scaled_dot(const Activation& x) const noexcept {
        return vcvtq_f32_s32(Dot::template scaled_dot<Bits::max>(w, x, scale));
    }
};

/// Q3_K: signed weights, signed scales for each 16 of them, which the header keeps.
template <class TheDot, class FileFormat, class Bits>
struct HalvesScaledInHeader {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = Scale;
    using Header = SixBitFields<2, Sign::with>;
    using Block = ScaledHalves<Dot, Bits>;
    static constexpr std::size_t header_bytes = 8 + Header::bytes;
    static constexpr std::size_t block_bytes = Bits::bytes;
    static constexpr bool with_min = false;

    static Header load_header(const std::byte* p) noexcept { return Header::load(p + 8); }
    template <std::size_t C>
    [[gnu::always_inline]] static Block load_block(const std::byte* p, const Header& header,
                                                   std::size_t sub, std::size_t i) noexcept {
        return {Bits::unpack(p),
                typename Dot::template HalfScales<Bits::max>(header.of_block(sub + i))};
    }

    static std::byte* pack_scales(const FileBlocks& blocks, std::byte* out) noexcept {
        Header header;
        for (std::size_t sub = 0; sub < super_block_blocks; ++sub) {
            const RowBlocks rows = unpack_rows<File>(blocks, sub);
            for (std::size_t r = 0; r < group_rows; ++r)
                for (std::size_t half = 0; half < 2; ++half)
                    header.set(sub, half, r, rows.row[r].scale[half]);
        }
        return header.pack(out);
    }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, sub), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// Q6_K: the same, but the scales are beside the weights.
template <class TheDot, class FileFormat, class Bits>
struct HalvesScaledInBlock {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = Scale;
    struct Header {};
    using Block = ScaledHalves<Dot, Bits>;
    static constexpr std::size_t header_bytes = 8;
    static constexpr std::size_t block_bytes = 8 + Bits::bytes;
    static constexpr bool with_min = false;

    static Header load_header(const std::byte*) noexcept { return {}; }
    template <std::size_t C>
    [[gnu::always_inline]] static Block load_block(const std::byte* p, const Header&, std::size_t,
                                                   std::size_t) noexcept {
        const int8x8_t scales = vld1_s8(reinterpret_cast<const std::int8_t*>(p));
        return {Bits::unpack(p + 8), typename Dot::template HalfScales<Bits::max>(scales)};
    }

    static std::byte* pack_scales(const FileBlocks&, std::byte* out) noexcept { return out; }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        const RowBlocks rows = unpack_rows<File>(blocks, sub);
        for (std::size_t half = 0; half < 2; ++half)
            for (const quant::SubBlock& row : rows.row)
                *out++ = static_cast<std::byte>(row.scale[half]);
        Bits::pack(weight_bytes<Dot, Bits::max>(rows, 0), reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// Q2_K: unsigned weights, a scale and a min for each 16 of them, beside the weights.
template <class TheDot, class FileFormat, class Bits>
struct HalvesScaledAndShifted {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = ScaleAndHalfSums;
    struct Header {};
    static constexpr std::size_t header_bytes = 16;
    static constexpr std::size_t block_bytes = 8 + Bits::bytes;
    static constexpr bool with_min = true;

    struct Block : ScaledHalves<Dot, Bits> {
        int16x8_t mins; ///< of the first 16 weights of 4 rows, then of the second

        [[gnu::always_inline]] Floats
        scaled_min(const typename Numbers::Loaded& numbers) const noexcept {
            const Ints low = vmull_lane_s16(vget_low_s16(mins), numbers.sums(), 2);
            return vcvtq_f32_s32(vmlal_lane_s16(low, vget_high_s16(mins), numbers.sums(), 3));
        }
    };

    static Header load_header(const std::byte*) noexcept { return {}; }
    template <std::size_t C>
    [[gnu::always_inline]] static Block load_block(const std::byte* p, const Header&, std::size_t,
                                                   std::size_t) noexcept {
        const uint8x8_t fields = vld1_u8(reinterpret_cast<const std::uint8_t*>(p));
        const int8x8_t scales = vreinterpret_s8_u8(vand_u8(fields, vdup_n_u8(15)));
        return {{Bits::unpack(p + 8), typename Dot::template HalfScales<Bits::max>(scales)},
                vreinterpretq_s16_u16(vmovl_u8(vshr_n_u8(fields, 4)))};
    }

    static std::byte* pack_scales(const FileBlocks&, std::byte* out) noexcept { return out; }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        const RowBlocks rows = unpack_rows<File>(blocks, sub);
        for (std::size_t half = 0; half < 2; ++half)
            for (const quant::SubBlock& row : rows.row)
                *out++ = static_cast<std::byte>(row.scale[half] | row.min[half] << 4);
        Bits::pack(weight_bytes<Dot, Bits::max>(rows, 0), reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// IQ4_XS: signed weights, a signed scale for each block.
template <class TheDot, class FileFormat, class Bits>
struct Scaled {
    using Dot = TheDot;
    using File = FileFormat;
    using Numbers = Scale;
    using Header = SixBitFields<1, Sign::with>;
    static constexpr std::size_t header_bytes = 8 + Header::bytes;
    static constexpr std::size_t block_bytes = Bits::bytes;
    static constexpr bool with_min = false;

    template <std::size_t C>
    struct Block {
        Weights w;
        RowScales<C> scale;

        [[gnu::always_inline]] Floats scaled_dot(const Activation& x) const noexcept {
            return scale.times(Dot::template dot<Bits::max>(w, x));
        }
    };

    static Header load_header(const std::byte* p) noexcept { return Header::load(p + 8); }
    template <std::size_t C>
    [[gnu::always_inline]] static Block<C> load_block(const std::byte* p, const Header& header,
                                                      std::size_t sub, std::size_t i) noexcept {
        return {Bits::unpack(p),
                RowScales<C>(vget_low_s16(header.template widened<C == 1>(sub, i)))};
    }

    static std::byte* pack_scales(const FileBlocks& blocks, std::byte* out) noexcept {
        Header header;
        for (std::size_t sub = 0; sub < super_block_blocks; ++sub) {
            const RowBlocks rows = unpack_rows<File>(blocks, sub);
            for (std::size_t r = 0; r < group_rows; ++r)
                header.set(sub, 0, r, rows.row[r].scale[0]);
        }
        return header.pack(out);
    }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, sub), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

} // namespace
} // namespace pillar::kernels::neon
