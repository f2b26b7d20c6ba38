// Q2_K: two-bit weights, a 4-bit scale and a 4-bit min for each 16 of them.
// A segment of 8 rows:
//   0   8 × f16 d
//   16  8 × f16 dmin
//   32  for each block 16 bytes: bytes 2r and 2r + 1 are row r's scales (low nibble) and mins (high
//       nibble); then 64 bytes of weights

#include "scales.hpp"
#include "super_blocks.hpp"

#include "pillar/quant/formats/q2_k.hpp"

namespace pillar::kernels::avx2 {
namespace {

struct Q2KSuperBlock {
    using File = quant::Q2_K;
    static constexpr std::size_t header_bytes = 32;
    static constexpr std::size_t block_bytes = 16 + TwoBits::bytes;
    static constexpr bool with_min = true;

    struct Header {};
    struct Block {
        Weights w;
        ScalePair scale;
        Ints mins; ///< int16 of the first and of the second 16 weights

        Floats scaled_dot(const std::int8_t* x, std::int32_t) const noexcept {
            return _mm256_cvtepi32_ps(dot_halves<TwoBits>(w, x, scale.low, scale.high));
        }
        Floats scaled_min(std::int32_t half_sums) const noexcept {
            return _mm256_cvtepi32_ps(_mm256_madd_epi16(mins, _mm256_set1_epi32(half_sums)));
        }
    };

    static std::int32_t extra(float, std::int32_t, const std::int16_t* half_sum) noexcept {
        std::int32_t both;
        std::memcpy(&both, half_sum, sizeof both);
        return both;
    }
    static Header load_header(const std::byte*) noexcept { return {}; }
    static Block load_block(const std::byte* p, const Header&, std::size_t) noexcept {
        const Ints fields = _mm256_cvtepu8_epi16(load_16_bytes(p));
        return {TwoBits::unpack(p + 16),
                scale_pair(_mm256_and_si256(fields, _mm256_set1_epi16(15))),
                _mm256_srli_epi16(fields, 4)};
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

constinit const Format q2_k_format = format_of_super_blocks<Q2KSuperBlock>();

} // namespace pillar::kernels::avx2
