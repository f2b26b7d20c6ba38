// Activations to int8, 32 at a time.

#include "clones.hpp"
#include "operators.hpp"
#include "quantize_block.hpp"

#include <algorithm>

namespace pillar::kernels::reference {

namespace {

/// The 32 values of block b of a slice, zeros where the slice does not reach.
[[gnu::always_inline]] inline void load_block(const float* x, std::size_t origin,
                                              const Slice& slice, std::size_t block,
                                              float (&values)[block_size]) noexcept {
    const std::size_t column = (slice.first_block() + block) * block_size;
    const std::size_t begin = std::max(column, slice.begin);
    const std::size_t end = std::min(column + block_size, slice.end);
    for (float& value : values) value = 0.0f;
    for (std::size_t k = begin; k < end; ++k) values[k - column] = x[k - origin];
}

} // namespace

PILLAR_CLONES
void quantize(Activations& x, std::size_t column, std::size_t block_begin,
              std::size_t block_end) noexcept {
    const ActivationLayout& layout = x.layout;
    std::size_t s = 0;
    for (std::size_t b = block_begin; b < block_end; ++b) {
        while (b >= layout.block_begin[s + 1]) ++s;
        float values[block_size];
        load_block(x.column(column), layout.origin, layout.slices[s], b - layout.block_begin[s],
                   values);
        const std::size_t at = x.block_at(column, b);
        std::int8_t* q = x.q.data() + at * block_size;
        x.scale[at] = quantize_block(values, block_size, q);
        int halves[2] = {};
        for (std::size_t k = 0; k < block_size; ++k) halves[k / 16] += q[k];
        x.half_sum[2 * at] = static_cast<std::int16_t>(halves[0]);
        x.half_sum[2 * at + 1] = static_cast<std::int16_t>(halves[1]);
        x.sum[at] = halves[0] + halves[1];
    }
}

} // namespace pillar::kernels::reference
