#pragma once
// Q4_K and Q5_K: unsigned weights, a 6-bit scale and a 6-bit min for each block of 32. A segment:
// f16 d and f16 dmin a row; the scale of block i is 6-bit field i, its min field 8 + i
// (scales.hpp); then the weights of each block.

#include "super_blocks.hpp"

#include "pillar/quant/formats/q4_k.hpp"
#include "pillar/quant/formats/q5_k.hpp"

namespace pillar::kernels::x86 {
namespace {

template <class FileFormat, class Bits>
struct ScaledAndShifted {
    using File = FileFormat;
    using Extra = float; ///< Σ q
    using Header = SixBitFields;
    static constexpr std::size_t header_bytes = 2 * half_bytes + SixBitFields::bytes;
    static constexpr std::size_t block_bytes = Bits::bytes;
    static constexpr bool with_min = true;

    struct Block {
        using Dot = Ints;
        Weights w;
        WholeScale scale;
        Floats scaled_dot(const std::int8_t* x, Extra) const noexcept {
            return scale.template scaled_dot<Bits>(w, x);
        }
        template <std::size_t n_columns>
        [[gnu::always_inline]] static void dots(const Block (&blocks)[tile_groups],
                                                const std::int8_t* x, const Extra*,
                                                Dot (&sums)[tile_groups][n_columns]) noexcept {
            WholeScale::dots<Bits>(blocks, x, sums);
        }
        Floats of_dot(Dot dot, Extra) const noexcept { return scale.of_dot(dot); }
    };
    struct Min {
        Floats min;
        Floats scaled(Extra sum) const noexcept { return times(min, fill(sum)); } // below 2^24
    };

    static Extra extra(const std::int8_t*, std::int32_t sum, const std::int16_t*) noexcept {
        return static_cast<float>(sum);
    }
    static Header load_header(const std::byte* p) noexcept {
        return SixBitFields::load(p + 2 * half_bytes);
    }
    static Block load_block(const std::byte* p, const Header& header, std::size_t sub) noexcept {
        return {Bits::unpack(p), WholeScale::of_byte(header.v[sub / 4], sub % 4, 0)};
    }
    static Min load_min(const std::byte*, const Header& header, std::size_t sub) noexcept {
        return {to_floats(byte_of_lane(header.v[2 + sub / 4], sub % 4))};
    }

    static std::byte* pack_scales(const FileBlocks& blocks, std::byte* out) noexcept {
        FieldBytes fields{};
        for (std::size_t sub = 0; sub < super_block_blocks; ++sub) {
            const RowBlocks rows = unpack_rows<File>(blocks, sub);
            for (std::size_t r = 0; r < group_rows; ++r) {
                fields.set(r, sub, rows.row[r].scale[0]);
                fields.set(r, 8 + sub, rows.row[r].min[0]);
            }
        }
        return fields.pack(out);
    }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        Bits::pack(weight_bytes(unpack_rows<File>(blocks, sub), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

} // namespace
} // namespace pillar::kernels::x86
