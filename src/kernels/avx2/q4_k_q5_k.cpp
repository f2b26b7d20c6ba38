// Q4_K and Q5_K: unsigned weights, a 6-bit scale and a 6-bit min for each block of 32.
// A segment of 8 rows:
//   0    8 × f16 d
//   16   8 × f16 dmin
//   32   96 bytes: scale of block i is 6-bit field i, its min is field 8 + i (scales.hpp)
//   128  for each block its weights, 128 (Q4_K) or 160 (Q5_K) bytes

#include "scales.hpp"
#include "super_blocks.hpp"

#include "pillar/quant/formats/q4_k.hpp"
#include "pillar/quant/formats/q5_k.hpp"

namespace pillar::kernels::avx2 {
namespace {

template <class FileFormat, class Bits>
struct ScaledAndShifted {
    using File = FileFormat;
    static constexpr std::size_t header_bytes = 32 + SixBitFields::bytes;
    static constexpr std::size_t block_bytes = Bits::bytes;
    static constexpr bool with_min = true;

    using Header = SixBitFields;
    struct Block {
        Weights w;
        Ints scale; ///< int16, twice
        Floats min;

        Floats scaled_dot(const std::int8_t* x, std::int32_t) const noexcept {
            return _mm256_cvtepi32_ps(dot<Bits>(w, x, scale));
        }
        Floats scaled_min(std::int32_t sum) const noexcept { // below 2^24: exact
            return _mm256_mul_ps(min, _mm256_castsi256_ps(_mm256_set1_epi32(sum)));
        }
    };

    static std::int32_t extra(float, std::int32_t sum, const std::int16_t*) noexcept {
        return __builtin_bit_cast(std::int32_t, static_cast<float>(sum));
    }
    static Header load_header(const std::byte* p) noexcept { return SixBitFields::load(p + 32); }
    static Block load_block(const std::byte* p, const Header& header, std::size_t sub) noexcept {
        const Ints min = byte_twice(header.v[2 + sub / 4], sub % 4);
        return {Bits::unpack(p), byte_twice(header.v[sub / 4], sub % 4),
                _mm256_cvtepi32_ps(_mm256_srli_epi32(min, 16))};
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

constinit const Format q4_k_format =
    format_of_super_blocks<ScaledAndShifted<quant::Q4_K, FourBits>>();
constinit const Format q5_k_format =
    format_of_super_blocks<ScaledAndShifted<quant::Q5_K, FiveBits>>();

} // namespace pillar::kernels::avx2
