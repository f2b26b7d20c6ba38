// Gaps and lengths → layers. Without micro-batches all-reduces alternate: the gap before an even
// one is attention, before an odd one feed-forward. With two, block number i (attention of both
// halves, feed-forward of both, …) is computed before the sum of block i − 1 is finished, so the
// gap before sum j is block j + 1; the first one is blocks 0 and 1.

#include "layer_times.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::recording {

namespace {

/// Of which block (0: the first layer's attention, 1: its feed-forward, …) the gap before
/// all-reduce `k` is.
std::size_t block_before(std::size_t k, std::size_t n_halves, std::size_t n_blocks) {
    if (n_halves == 1) return k;
    return std::min((k == 0 ? 0 : k + 1) / n_halves, n_blocks - 1);
}

} // namespace

std::vector<trace::LayerRow> layers_of(const RankStep& step,
                                       std::span<const StepDivider::Part> parts,
                                       std::size_t n_layers, double step_s) {
    constexpr std::size_t blocks_a_layer = 2;
    const std::size_t n = step.kind.size(), n_blocks = n_layers * blocks_a_layer;
    const auto is_allreduce = [](std::uint8_t kind) {
        return kind == static_cast<std::uint8_t>(CollectiveKind::allreduce);
    };
    if (n_blocks == 0 || n < 3 || parts.size() != n || std::isnan(step.head->layers_begin_s) ||
        !std::ranges::all_of(step.kind.subspan(1, n - 2), is_allreduce) ||
        is_allreduce(step.kind[0]) || is_allreduce(step.kind[n - 1]))
        return {};
    const std::size_t n_halves = (n - 2) / n_blocks;
    if ((n_halves != 1 && n_halves != 2) || n - 2 != n_halves * n_blocks) return {};

    std::vector<trace::LayerRow> rows(n_layers);
    const double before_s = std::max(0.0, step.head->layers_begin_s - step.gap_s[0] -
                                              step.length_s[0]); // the embedding's
    for (std::size_t k = 0; k < n - 2; ++k) {
        const double gap_s = step.gap_s[k + 1] - (k == 0 ? before_s : 0.0);
        const std::size_t computed = block_before(k, n_halves, n_blocks), summed = k / n_halves;
        trace::LayerRow& mine = rows[computed / blocks_a_layer];
        (computed % blocks_a_layer == 0 ? mine.attention_s : mine.feed_forward_s) += gap_s;
        trace::LayerRow& sum = rows[summed / blocks_a_layer];
        const bool is_first = summed % blocks_a_layer == 0;
        (is_first ? sum.attention_wait_s : sum.feed_forward_wait_s) += parts[k + 1].wait_s;
        (is_first ? sum.attention_wire_s : sum.feed_forward_wire_s) += parts[k + 1].wire_s;
    }
    double now_s = step_s + step.head->layers_begin_s;
    for (std::size_t layer = 0; layer < n_layers; ++layer) {
        trace::LayerRow& row = rows[layer];
        row.step = step.head->counts.step;
        row.layer = static_cast<std::uint32_t>(layer);
        row.t_start_s = now_s;
        now_s += row.attention_s + row.attention_wait_s + row.attention_wire_s +
                 row.feed_forward_s + row.feed_forward_wait_s + row.feed_forward_wire_s;
    }
    return rows;
}

} // namespace pillar::recording
