#pragma once
// IQ4_XS: the levels of IQ4_NL with a 6-bit scale for each block of 32. A segment: f16 d a row;
// scale i + 32 of a row is byte i % 2 of the row's 16-bit lane in half vector i / 2, four of these
// in three (bits.hpp); then the nibbles of each block.

#include "iq4.hpp"
#include "super_blocks.hpp"

#include "pillar/quant/formats/iq4_xs.hpp"

namespace pillar::kernels::x86 {
namespace {

struct IQ4XSSuperBlock {
    using File = quant::IQ4_XS;
    using Extra = std::int32_t;
    static constexpr std::size_t header_bytes = half_bytes + 3 * half_bytes;
    static constexpr std::size_t block_bytes = Levels::bytes;
    static constexpr bool with_min = false;

    struct Header {
        Ints scale[4]; ///< scale i + 32 is byte i % 2 of the row's 32-bit lane in vector i / 2
    };
    struct Block {
        using Dot = Ints;
        LevelDot w;
        WholeScale scale;
        Floats scaled_dot(const std::int8_t* x, Extra extra_of_block) const noexcept {
            return w.scaled_dot(x, extra_of_block, scale);
        }
        template <std::size_t n_columns>
        [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                                const std::int8_t* x, const Extra* start,
                                                Dot (&sums)[tile_groups][n_columns]) noexcept {
            LevelDot::scaled_dots(blocks, x, start, sums);
        }
        Floats of_dot(Dot dot, Extra) const noexcept { return scale.of_dot(dot); }
    };

    static Extra extra(const std::int8_t*, std::int32_t sum, const std::int16_t*) noexcept {
        return LevelDot::extra(sum);
    }
    static Header load_header(const std::byte* p) noexcept {
        Header header;
        unpack_four_in_three(load_u16_as_32(p + half_bytes), load_u16_as_32(p + 2 * half_bytes),
                             load_u16_as_32(p + 3 * half_bytes), header.scale);
        return header;
    }
    static Block load_block(const std::byte* p, const Header& header, std::size_t sub) noexcept {
        return {LevelDot(Levels::unpack(p)),
                WholeScale::of_byte(header.scale[sub / 2], sub % 2, 32)};
    }

    static std::byte* pack_scales(const FileBlocks& blocks, std::byte* out) noexcept {
        std::uint8_t scales[4][half_bytes] = {};
        for (std::size_t sub = 0; sub < super_block_blocks; ++sub) {
            const RowBlocks rows = unpack_rows<File>(blocks, sub);
            for (std::size_t r = 0; r < group_rows; ++r)
                scales[sub / 2][2 * r + sub % 2] =
                    static_cast<std::uint8_t>(rows.row[r].scale[0] + 32);
        }
        pack_four_in_three({scales[0], scales[1], scales[2], scales[3]}, half_bytes,
                           reinterpret_cast<std::uint8_t*>(out));
        return out + 3 * half_bytes;
    }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        Levels::pack(unpack_rows<File>(blocks, sub), reinterpret_cast<std::uint8_t*>(out));
        return out + Levels::bytes;
    }
};

} // namespace
} // namespace pillar::kernels::x86
