#pragma once
// Scales of the sub-blocks of 4 rows: 6-bit fields in a segment's header (Q3_K, Q4_K, Q5_K,
// IQ4_XS), or a byte for each 16 weights beside the block (Q2_K, Q6_K).

#include "bits.hpp"
#include "packing.hpp"

namespace pillar::kernels::neon {
namespace {

/// Six-bit numbers of a super-block of 4 rows, `a_block` of them for each block of 32: number i of
/// row r is byte 4i + r of the block. Packed four in three.
template <std::size_t a_block, Sign sign>
struct SixBitFields {
    static constexpr std::size_t count = 8 * a_block * group_rows;
    static constexpr std::size_t bytes = count / 4 * 3;
    alignas(16) std::int8_t v[count];

    static SixBitFields load(const std::byte* p) noexcept {
        SixBitFields fields;
        Bytes part[4];
        if constexpr (count == 64) {
            unpack_four_in_three<sign>(neon::load(p), neon::load(p + 16), neon::load(p + 32), part);
            unrolled<4>([&](std::size_t i) __attribute__((always_inline)) {
                vst1q_s8(fields.v + 16 * i, part[i]);
            });
        } else {
            static_assert(count == 32);
            unpack_four_in_three<sign>(load_half(p), load_half(p + 8), load_half(p + 16), part);
            unrolled<4>([&](std::size_t i) __attribute__((always_inline)) {
                vst1_s8(fields.v + 8 * i, vget_low_s8(part[i]));
            });
        }
        return fields;
    }
    /// All numbers of a block: 8 bytes, or 4 in the low half of 8.
    [[nodiscard]] int8x8_t of_block(std::size_t sub) const noexcept {
        if constexpr (a_block == 2) {
            return vld1_s8(v + 8 * sub);
        } else {
            std::int32_t four;
            std::memcpy(&four, v + 4 * sub, sizeof four);
            return vreinterpret_s8_s32(vset_lane_s32(four, vdup_n_s32(0), 0));
        }
    }
    /// Those of block sub + i as int16, i = 0 or 1, with one load for both.
    template <bool two>
    [[gnu::always_inline]] int16x8_t widened(std::size_t sub, std::size_t i) const noexcept {
        if constexpr (two && a_block == 2) {
            const Bytes both = load_bytes(v + 8 * sub);
            return i == 0 ? vmovl_s8(vget_low_s8(both)) : vmovl_high_s8(both);
        } else {
            return vmovl_s8(of_block(sub + i));
        }
    }

    void set(std::size_t sub, std::size_t i, std::size_t row, std::int32_t value) noexcept {
        v[(sub * a_block + i) * group_rows + row] = static_cast<std::int8_t>(value);
    }
    std::byte* pack(std::byte* out) const noexcept {
        constexpr std::size_t n = count / 4;
        const auto* first = reinterpret_cast<const std::uint8_t*>(v);
        pack_four_in_three({first, first + n, first + 2 * n, first + 3 * n}, n,
                           reinterpret_cast<std::uint8_t*>(out));
        return out + bytes;
    }

  private:
    static uint8x16_t load_half(const std::byte* p) noexcept {
        const uint8x8_t half = vld1_u8(reinterpret_cast<const std::uint8_t*>(p));
        return vcombine_u8(half, half);
    }
};

} // namespace
} // namespace pillar::kernels::neon
