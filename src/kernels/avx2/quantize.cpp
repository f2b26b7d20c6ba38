// Activations to int8, 32 at a time.

#include "operators.hpp"
#include "quantize_block.hpp"
#include "views.hpp"

namespace pillar::kernels::avx2 {
namespace {

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
    return load_block(values);
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
    const QuantizeView view = view_quantize(x, column);
    std::size_t s = 0;
    for (std::size_t b = block_begin; b < block_end; ++b) {
        while (b >= view.block_begin[s + 1]) ++s;
        const Block block = load_block(view, view.slices[s], b - view.block_begin[s]);
        float dx;
        const Ints q = quantize_block(block, dx);
        store_block(view, b, q, dx);
    }
}

} // namespace pillar::kernels::avx2
