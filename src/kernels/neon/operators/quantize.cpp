// Activations to int8, 32 at a time.

#include "operators.hpp"
#include "quantize_block.hpp"
#include "views.hpp"

namespace pillar::kernels::neon {
namespace {

/// The 32 values of block b of a slice, zeros where the slice does not reach.
inline Block load_block(const QuantizeView& view, const Slice& slice, std::size_t b) noexcept {
    const std::size_t column = (slice.begin / block_size + b) * block_size;
    const std::size_t begin = column < slice.begin ? slice.begin : column;
    const std::size_t end = smaller(column + block_size, slice.end);
    if (end - begin == block_size) return load_block(view.x + (column - view.origin));
    float part[block_size] = {};
    std::memcpy(part + (begin - column), view.x + (begin - view.origin),
                (end - begin) * sizeof(float));
    return load_block(part);
}

/// Write q, dx and the sums.
inline void store_block(const QuantizeView& view, std::size_t b,
                        const QuantizedBlock& block) noexcept {
    const std::size_t at = b * view.stride;
    const std::int16_t low_sum = vaddlvq_s8(block.low);
    const std::int16_t high_sum = vaddlvq_s8(block.high);
    vst1q_s8(view.q + at * block_size, block.low);
    vst1q_s8(view.q + at * block_size + 16, block.high);
    view.scale[at] = block.dx;
    view.sum[at] = low_sum + high_sum;
    view.half_sum[2 * at] = low_sum;
    view.half_sum[2 * at + 1] = high_sum;
}

} // namespace

void quantize(Activations& x, std::size_t column, std::size_t block_begin,
              std::size_t block_end) noexcept {
    const QuantizeView view = view_quantize(x, column);
    std::size_t s = 0;
    for (std::size_t b = block_begin; b < block_end; ++b) {
        while (b >= view.block_begin[s + 1]) ++s;
        store_block(view, b,
                    quantize_block(load_block(view, view.slices[s], b - view.block_begin[s])));
    }
}

} // namespace pillar::kernels::neon
