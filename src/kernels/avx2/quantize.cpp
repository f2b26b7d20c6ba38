// Activations to int8, 32 at a time.

#include "../views.hpp"
#include "operators.hpp"
#include "simd.hpp"

namespace pillar::kernels::avx2 {
namespace {

struct Block {
    Floats v[4];
};

/// The 32 values of block b of a slice, zeros where the slice does not reach.
inline Block load_block(const QuantizeView& view, const Slice& slice, std::size_t b) noexcept {
    const std::size_t column = (slice.begin / block_size + b) * block_size;
    const std::size_t begin = column < slice.begin ? slice.begin : column;
    const std::size_t end = smaller(column + block_size, slice.end);
    alignas(32) float part[block_size] = {};
    const float* values = part;
    if (end - begin == block_size)
        values = view.x + (column - view.origin);
    else
        std::memcpy(part + (begin - column), view.x + (begin - view.origin),
                    (end - begin) * sizeof(float));
    Block block;
    for (std::size_t i = 0; i < 4; ++i) block.v[i] = _mm256_loadu_ps(values + lanes * i);
    return block;
}

/// The largest magnitude's bits: magnitudes order like integers, NaN above infinity.
inline std::int32_t largest_bits(const Block& block) noexcept {
    const Ints magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    Ints m = _mm256_setzero_si256();
    for (const Floats& v : block.v)
        m = _mm256_max_epi32(m, _mm256_and_si256(_mm256_castps_si256(v), magnitude));
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xB1));
    return _mm_cvtsi128_si32(four);
}

/// round-half-even(x · inverse) as 32 bytes. No clamp is needed: |x · inverse| rounds to at most
/// 127.00002.
inline Ints round_to_bytes(const Block& block, float inverse) noexcept {
    Ints q[4];
    for (std::size_t i = 0; i < 4; ++i)
        q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(block.v[i], _mm256_set1_ps(inverse)));
    const Ints bytes =
        _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/// Write q and its sums.
inline void store_block(const QuantizeView& view, std::size_t b, Ints q, float dx) noexcept {
    const Ints pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), q);
    Ints sums = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    sums = _mm256_hadd_epi32(sums, sums);
    sums = _mm256_hadd_epi32(sums, sums); // each 128-bit half now holds its 16 values' sum
    const std::int32_t low = _mm256_extract_epi32(sums, 0);
    const std::int32_t high = _mm256_extract_epi32(sums, 4);
    const std::size_t at = b * view.stride;
    _mm256_storeu_si256(reinterpret_cast<Ints*>(view.q + at * block_size), q);
    view.scale[at] = dx;
    view.sum[at] = low + high;
    view.half_sum[2 * at] = static_cast<std::int16_t>(low);
    view.half_sum[2 * at + 1] = static_cast<std::int16_t>(high);
}

} // namespace

void quantize(Activations& x, std::size_t column, std::size_t block_begin,
              std::size_t block_end) noexcept {
    constexpr std::int32_t infinity_bits = 0x7F800000;
    const QuantizeView view = view_quantize(x, column);
    std::size_t s = 0;
    for (std::size_t b = block_begin; b < block_end; ++b) {
        while (b >= view.block_begin[s + 1]) ++s;
        const Block block = load_block(view, view.slices[s], b - view.block_begin[s]);
        const std::int32_t largest = largest_bits(block);
        const float amax = __builtin_bit_cast(float, largest);
        const float inverse = 127.0f / amax;
        if (largest >= infinity_bits)
            store_block(view, b, _mm256_setzero_si256(), __builtin_nanf(""));
        else if (__builtin_bit_cast(std::int32_t, inverse) >= infinity_bits)
            store_block(view, b, _mm256_setzero_si256(), 0.0f);
        else
            store_block(view, b, round_to_bytes(block, inverse), amax / 127.0f);
    }
}

} // namespace pillar::kernels::avx2
