// IQ4_XS: the levels of IQ4_NL with a 6-bit scale for each block of 32.
// A segment of 8 rows:
//   0   8 × f16 d
//   16  48 bytes: scale i + 32 of a row is byte i % 2 of the row's 16-bit lane in vector i / 2,
//   four
//       vectors of 16 bytes in three (bits.hpp)
//   64  for each block 128 bytes of nibbles

#include "iq4.hpp"
#include "scales.hpp"
#include "super_blocks.hpp"

#include "pillar/quant/formats/iq4_xs.hpp"

namespace pillar::kernels::avx2 {
namespace {

struct IQ4XSSuperBlock {
    using File = quant::IQ4_XS;
    static constexpr std::size_t header_bytes = 16 + 3 * 16;
    static constexpr std::size_t block_bytes = Levels::bytes;
    static constexpr bool with_min = false;

    struct Header {
        Ints scale[4]; ///< scale i + 32 is byte i % 2 of the row's 32-bit lane in vector i / 2
    };
    struct Block {
        SignedWeights w;
        Ints scale; ///< int16, twice

        Floats scaled_dot(const std::int8_t* x, std::int32_t) const noexcept {
            return _mm256_cvtepi32_ps(dot(w, x, scale));
        }
    };

    static std::int32_t extra(float, std::int32_t, const std::int16_t*) noexcept { return 0; }
    static Header load_header(const std::byte* p) noexcept {
        Header header;
        unpack_four_in_three(_mm256_cvtepu16_epi32(load_16_bytes(p + 16)),
                             _mm256_cvtepu16_epi32(load_16_bytes(p + 32)),
                             _mm256_cvtepu16_epi32(load_16_bytes(p + 48)), header.scale);
        return header;
    }
    static Block load_block(const std::byte* p, const Header& header, std::size_t sub) noexcept {
        const Ints scale = byte_twice(header.scale[sub / 2], sub % 2);
        return {with_magnitude(Levels::unpack(p)), _mm256_sub_epi16(scale, _mm256_set1_epi16(32))};
    }

    static std::byte* pack_scales(const FileBlocks& blocks, std::byte* out) noexcept {
        std::uint8_t scales[4][16] = {};
        for (std::size_t sub = 0; sub < super_block_blocks; ++sub) {
            const RowBlocks rows = unpack_rows<File>(blocks, sub);
            for (std::size_t r = 0; r < group_rows; ++r)
                scales[sub / 2][2 * r + sub % 2] =
                    static_cast<std::uint8_t>(rows.row[r].scale[0] + 32);
        }
        pack_four_in_three({scales[0], scales[1], scales[2], scales[3]}, 16,
                           reinterpret_cast<std::uint8_t*>(out));
        return out + 3 * 16;
    }
    static std::byte* pack_block(const FileBlocks& blocks, std::size_t sub,
                                 std::byte* out) noexcept {
        Levels::pack(Levels::from(unpack_rows<File>(blocks, sub)),
                     reinterpret_cast<std::uint8_t*>(out));
        return out + Levels::bytes;
    }
};

} // namespace

constinit const Format iq4_xs_format = format_of_super_blocks<IQ4XSSuperBlock>();

} // namespace pillar::kernels::avx2
