#include "workspace.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

bool is_of_heads(model::Role role) noexcept {
    using enum model::Role;
    return role == query || role == key || role == value || role == attention_output;
}

} // namespace

StepCost step_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheType cache_type) {
    StepCost cost;
    for (const model::MatrixPlan& matrix : plan.matrices) {
        const bool is_output = matrix.role == model::Role::output;
        const kernels::MatrixShape& shape = matrix.shape;
        const std::uint64_t n_bytes =
            shape.n_rows * shape.file_blocks().count * matrix.tensor->type->block_bytes;
        (is_output ? cost.output_bytes : cost.layer_bytes) += n_bytes;
        if (is_of_heads(matrix.role)) cost.heads_bytes += n_bytes;
        if (quant::is_float(shape.type) || family.float_activations) continue;
        std::uint64_t n_columns = 0;
        for (const kernels::Slice& slice : shape.slices) n_columns += slice.end - slice.begin;
        (is_output ? cost.output_macs : cost.layer_macs) += shape.n_rows * n_columns;
    }
    cost.kv_bytes = h.n_layers * share.kv_heads.size() * 2 *
                    kernels::page_bytes(cache_type, h.head_dim) / kernels::page_positions;
    return cost;
}

SeenPositions seen_positions(std::uint64_t first, std::uint64_t n_rows,
                             std::uint64_t window) noexcept {
    const auto triangle = [](std::uint64_t n) { return n * (n + 1) / 2; };
    const std::uint64_t end = first + n_rows;
    if (window == 0) return {end, triangle(end) - triangle(first)};
    // Rows below the window's length see all before them, the others as many as it holds.
    const std::uint64_t n_short = std::clamp(window, first, end) - first;
    return {std::min(end, window - 1 + n_rows),
            triangle(first + n_short) - triangle(first) + (n_rows - n_short) * window};
}

SeenPositions seen_in_layers(const model::Hyperparameters& h, std::uint64_t first,
                             std::uint64_t n_rows) noexcept {
    SeenPositions sum;
    for (const model::LayerSpec& layer : h.layers) {
        const SeenPositions seen = seen_positions(first, n_rows, layer.window);
        sum.read += seen.read;
        sum.attended += seen.attended;
    }
    return sum;
}

StepCost Transformer::cost() const noexcept {
    const model::Model& model = workspace_->model;
    return step_cost(model.plan, model.h, model.share, model.family,
                     workspace_->options.cache_type);
}

} // namespace pillar::forward
