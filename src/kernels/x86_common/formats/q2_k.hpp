#pragma once
// Q2_K: two-bit weights, a 4-bit scale and a 4-bit min for each 16 of them. A segment: f16 d and
// f16 dmin a row; then for each block two bytes a row, its scales (low nibbles) and mins (high
// nibbles), and the weights.

#include "super_blocks.hpp"

#include "pillar/quant/formats/q2_k.hpp"

namespace pillar::kernels::x86 {
namespace {

struct Q2KSuperBlock {
    using File = quant::Q2_K;
    using Scales = HalfScales<TwoBits, 0>;
    using Extra = std::int32_t; ///< both half sums
    static constexpr std::size_t header_bytes = 2 * half_bytes;
    static constexpr std::size_t block_bytes = half_bytes + TwoBits::bytes;
    static constexpr bool with_min = true;

    struct Header {};
    struct Block {
        using Dot = Scales::Dot;
        Weights w;
        Scales scales;
        [[gnu::always_inline]] Floats scaled_dot(const std::int8_t* x, Extra) const noexcept {
            return scales.scaled_dot(w, x, Scales::no_extra);
        }
        template <std::size_t n_columns>
        [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                                const std::int8_t* x, const Extra*,
                                                Dot (&sums)[tile_groups][n_columns]) noexcept {
            typename Scales::Extra none[n_columns];
            for (auto& extra : none) extra = Scales::no_extra;
            Scales::dots(blocks, x, none, sums);
        }
        Floats of_dot(Dot dot, Extra) const noexcept {
            return scales.of_dot(dot, Scales::no_extra);
        }
    };
    struct Min {
        Ints mins; ///< int16 of the first and of the second 16 weights
        Floats scaled(Extra half_sums) const noexcept {
            return to_floats(dot_16(mins, fill_32(half_sums)));
        }
    };

    static Extra extra(const std::int8_t*, std::int32_t, const std::int16_t* half_sum) noexcept {
        Extra both_sums;
        std::memcpy(&both_sums, half_sum, sizeof both_sums);
        return both_sums;
    }
    static Header load_header(const std::byte*) noexcept { return {}; }
    static Block load_block(const std::byte* p, const Header&, std::size_t) noexcept {
        return {TwoBits::unpack(p + half_bytes), Scales::of(both(load_u8_as_16(p), fill_16(15)))};
    }
    static Min load_min(const std::byte* p, const Header&, std::size_t) noexcept {
        return {shift_right_16<4>(load_u8_as_16(p))};
    }

    static std::byte* pack_scales(const FileBlocks&, std::byte* out) noexcept { return out; }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        const RowBlocks rows = unpack_rows<File>(blocks, sub);
        for (const quant::SubBlock& row : rows.row)
            for (std::size_t half = 0; half < 2; ++half)
                *out++ = static_cast<std::byte>(row.scale[half] | row.min[half] << 4);
        TwoBits::pack(weight_bytes(rows, 0), reinterpret_cast<std::uint8_t*>(out));
        return out + TwoBits::bytes;
    }
};

} // namespace
} // namespace pillar::kernels::x86
