#pragma once
// Q3_K and Q6_K: biased weights and a signed scale for each 16 of them. A segment: f16 d a row;
// Q3_K: scale i + 32 of the super-block is 6-bit field i (scales.hpp); then for each block, Q6_K:
// two bytes a row, its scales; the weights + 4 or + 32.

#include "super_blocks.hpp"

#include "pillar/quant/formats/q3_k.hpp"
#include "pillar/quant/formats/q6_k.hpp"

namespace pillar::kernels::x86 {
namespace {

template <class Bits, int bias>
struct BiasedHalves {
    using Scales = HalfScales<Bits, bias>;
    using Dot = typename Scales::Dot;
    Weights w;
    Scales scales;
    [[gnu::always_inline]] Floats scaled_dot(const std::int8_t* x,
                                             typename Scales::Extra extra) const noexcept {
        return scales.scaled_dot(w, x, extra);
    }
    template <std::size_t n_columns>
    [[gnu::always_inline]] static void
    dots(const BiasedHalves (&blocks)[tile_groups], const std::int8_t* x,
         const typename Scales::Extra* extra, Dot (&sums)[tile_groups][n_columns]) noexcept {
        Scales::dots(blocks, x, extra, sums);
    }
    Floats of_dot(Dot dot, typename Scales::Extra extra) const noexcept {
        return scales.of_dot(dot, extra);
    }
};

struct Q6KSuperBlock {
    using File = quant::Q6_K;
    using Block = BiasedHalves<SixBits, 32>;
    using Extra = Block::Scales::Extra;
    static constexpr std::size_t header_bytes = half_bytes;
    static constexpr std::size_t block_bytes = half_bytes + SixBits::bytes;
    static constexpr bool with_min = false;
    struct Header {};

    static Extra extra(const std::int8_t* x, std::int32_t, const std::int16_t* half_sum) noexcept {
        return Block::Scales::extra(x, half_sum);
    }
    static Header load_header(const std::byte*) noexcept { return {}; }
    static Block load_block(const std::byte* p, const Header&, std::size_t) noexcept {
        return {SixBits::unpack(p + half_bytes), Block::Scales::of(load_i8_as_16(p))};
    }

    static std::byte* pack_scales(const FileBlocks&, std::byte* out) noexcept { return out; }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        const RowBlocks rows = unpack_rows<File>(blocks, sub);
        for (const quant::SubBlock& row : rows.row)
            for (const std::int32_t scale : row.scale) *out++ = static_cast<std::byte>(scale);
        SixBits::pack(weight_bytes(rows, 32), reinterpret_cast<std::uint8_t*>(out));
        return out + SixBits::bytes;
    }
};

struct Q3KSuperBlock {
    using File = quant::Q3_K;
    using Block = BiasedHalves<ThreeBits, 4>;
    using Extra = Block::Scales::Extra;
    using Header = SixBitFields;
    static constexpr std::size_t header_bytes = half_bytes + SixBitFields::bytes;
    static constexpr std::size_t block_bytes = ThreeBits::bytes;
    static constexpr bool with_min = false;

    static Extra extra(const std::int8_t* x, std::int32_t, const std::int16_t* half_sum) noexcept {
        return Block::Scales::extra(x, half_sum);
    }
    static Header load_header(const std::byte* p) noexcept {
        return SixBitFields::load(p + half_bytes);
    }
    static Block load_block(const std::byte* p, const Header& header, std::size_t sub) noexcept {
        const Ints fields = two_bytes(header.v[sub / 2], 2 * (sub % 2));
        return {ThreeBits::unpack(p), Block::Scales::of(minus_16(fields, fill_16(32)))};
    }

    static std::byte* pack_scales(const FileBlocks& blocks, std::byte* out) noexcept {
        FieldBytes fields{};
        for (std::size_t sub = 0; sub < super_block_blocks; ++sub) {
            const RowBlocks rows = unpack_rows<File>(blocks, sub);
            for (std::size_t r = 0; r < group_rows; ++r)
                for (std::size_t half = 0; half < 2; ++half)
                    fields.set(r, 2 * sub + half, rows.row[r].scale[half] + 32);
        }
        return fields.pack(out);
    }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        ThreeBits::pack(weight_bytes(unpack_rows<File>(blocks, sub), 4),
                        reinterpret_cast<std::uint8_t*>(out));
        return out + ThreeBits::bytes;
    }
};

} // namespace
} // namespace pillar::kernels::x86
