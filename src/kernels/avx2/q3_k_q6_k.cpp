// Q3_K and Q6_K: biased weights and a signed scale for each 16 of them.
// A segment of 8 rows:
//   0   8 × f16 d
//   16  Q3_K: 96 bytes: scale i + 32 of the super-block is 6-bit field i (scales.hpp)
//   then for each block
//       Q6_K: 16 bytes: bytes 2r and 2r + 1 are row r's scales
//       its weights + 4 or + 32, 96 (Q3_K) or 192 (Q6_K) bytes
//
// Σ scale·Σ(n − bias)·q = Σ scale·Σ n·q − bias · Σ scale·Σ q, with both scales and both half sums
// in one vpmaddwd. 32 · Σ q of 16 activations does not fit an int16, so Q6_K takes 2·scale and 16·Σ
// q.

#include "scales.hpp"
#include "super_blocks.hpp"

#include "pillar/quant/formats/q3_k.hpp"
#include "pillar/quant/formats/q6_k.hpp"

namespace pillar::kernels::avx2 {
namespace {

template <class Bits, int bias>
struct BiasedHalves {
    static constexpr int sum_factor = bias <= 16 ? bias : 16;
    static constexpr int scale_factor = bias / sum_factor;
    static_assert(sum_factor * scale_factor == bias);

    Weights w;
    ScalePair scale;

    static std::int32_t extra(const std::int16_t* half_sum) noexcept {
        const std::int16_t pair[2] = {static_cast<std::int16_t>(-sum_factor * half_sum[0]),
                                      static_cast<std::int16_t>(-sum_factor * half_sum[1])};
        std::int32_t both;
        std::memcpy(&both, pair, sizeof both);
        return both;
    }
    Floats scaled_dot(const std::int8_t* x, std::int32_t minus_sums) const noexcept {
        const Ints scales =
            scale_factor == 1 ? scale.both : _mm256_slli_epi16(scale.both, scale_factor / 2);
        const Ints minus_bias = _mm256_madd_epi16(scales, _mm256_set1_epi32(minus_sums));
        return _mm256_cvtepi32_ps(
            _mm256_add_epi32(dot_halves<Bits>(w, x, scale.low, scale.high), minus_bias));
    }
};

struct Q6KSuperBlock {
    using File = quant::Q6_K;
    using Block = BiasedHalves<SixBits, 32>;
    static constexpr std::size_t header_bytes = 16;
    static constexpr std::size_t block_bytes = 16 + SixBits::bytes;
    static constexpr bool with_min = false;
    struct Header {};

    static std::int32_t extra(float, std::int32_t, const std::int16_t* half_sum) noexcept {
        return Block::extra(half_sum);
    }
    static Header load_header(const std::byte*) noexcept { return {}; }
    static Block load_block(const std::byte* p, const Header&, std::size_t) noexcept {
        return {SixBits::unpack(p + 16), scale_pair(_mm256_cvtepi8_epi16(load_16_bytes(p)))};
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
    using Header = SixBitFields;
    static constexpr std::size_t header_bytes = 16 + SixBitFields::bytes;
    static constexpr std::size_t block_bytes = ThreeBits::bytes;
    static constexpr bool with_min = false;

    static std::int32_t extra(float, std::int32_t, const std::int16_t* half_sum) noexcept {
        return Block::extra(half_sum);
    }
    static Header load_header(const std::byte* p) noexcept { return SixBitFields::load(p + 16); }
    static Block load_block(const std::byte* p, const Header& header, std::size_t sub) noexcept {
        const Ints scales = two_bytes(header.v[sub / 2], 2 * (sub % 2));
        return {ThreeBits::unpack(p), scale_pair(_mm256_sub_epi16(scales, _mm256_set1_epi16(32)))};
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

constinit const Format q3_k_format = format_of_super_blocks<Q3KSuperBlock>();
constinit const Format q6_k_format = format_of_super_blocks<Q6KSuperBlock>();

} // namespace pillar::kernels::avx2
