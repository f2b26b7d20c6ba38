#include "blocks/products.hpp"

#include "pillar/core/sizes.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

/// Multiply-accumulates between two looks at messages under way: half a millisecond of a small
/// core.
constexpr std::size_t macs_a_piece = std::size_t{4} << 20;
/// The same where none is under way, but others may ask whether this rank is alive: a few
/// milliseconds, a tenth of a second with plain kernels.
constexpr std::size_t macs_between_signs = std::size_t{32} << 20;

constexpr std::size_t line_bytes = 64;
/// As far as the kernels look ahead.
constexpr std::size_t bytes_expected = 6 * 1024;

} // namespace

void multiply(const Workspace& ws, threads::Worker worker, const kernels::Matrix& w,
              const kernels::Activations& x, float* y, std::size_t y_stride,
              Range groups) noexcept {
    const std::size_t a_group =
        w.family().rows_per_group(w.shape().type) * x.layout.length * x.n_columns();
    // A rank beyond the heads has rows of no length: nothing to multiply, zeros to write.
    if (!worker.is_main() || ws.comm == nullptr || a_group == 0)
        return kernels::multiply(w, x, y, y_stride, groups.begin, groups.end);
    const std::size_t a_piece = ws.is_moving ? macs_a_piece : macs_between_signs;
    // Whole tiles: a part of one is multiplied group by group.
    const std::size_t tile = w.family().tile_groups;
    const std::size_t n = std::max<std::size_t>(1, ceil_div(a_piece / a_group, tile)) * tile;
    for (std::size_t begin = groups.begin; begin < groups.end; begin += n) {
        kernels::multiply(w, x, y, y_stride, begin, std::min(begin + n, groups.end));
        ws.look_at_messages(worker);
    }
}

void multiply_share(const Workspace& ws, threads::Worker worker, const kernels::Matrix& w,
                    const kernels::Activations& x, float* y, std::size_t y_stride) noexcept {
    multiply(ws, worker, w, x, y, y_stride, worker.share(w.n_groups()));
}

void expect_next(const kernels::Matrix& w, Range groups) noexcept {
    const std::byte* const begin = w.group(groups.begin);
    const std::size_t n = std::min(bytes_expected, groups.size() * w.group_bytes());
    for (std::size_t i = 0; i < n; i += line_bytes) {
        __builtin_prefetch(begin + i);
        asm volatile(""); // g++ 12 removes loops of nothing but prefetches
    }
}

Range rows_of(const kernels::Matrix& w, Range groups) noexcept {
    const std::size_t rows = w.family().rows_per_group(w.shape().type);
    return {std::min(groups.begin * rows, w.shape().n_rows),
            std::min(groups.end * rows, w.shape().n_rows)};
}

} // namespace pillar::forward
