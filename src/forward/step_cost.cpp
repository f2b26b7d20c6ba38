#include "workspace.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

bool is_of_heads(model::Role role) noexcept {
    using enum model::Role;
    return role == query || role == key || role == value || role == attention_output;
}

/// Narrow slices of a super-block, packed, are much shorter than the whole one in the file.
std::uint64_t packed_bytes(const model::MatrixPlan& matrix, const kernels::Family& family) {
    std::uint64_t n_bytes = 0;
    for (const kernels::MatrixShape& part : matrix.parts())
        n_bytes += kernels::Matrix::packed_bytes(family, part);
    return n_bytes;
}

/// The router is read for every row.
bool is_one_of_experts(model::Role role) noexcept {
    return model::is_of_experts(role) && role != model::Role::router;
}

} // namespace

double StepCost::layer_bytes_of(std::size_t n_rows) const noexcept {
    if (n_experts == 0) return static_cast<double>(layer_bytes);
    const auto n = static_cast<double>(n_experts);
    const double left_by_one = 1 - static_cast<double>(n_experts_used) / n;
    double left_by_all = 1;
    for (std::size_t r = 0; r < n_rows && left_by_all > 1e-9; ++r) left_by_all *= left_by_one;
    return static_cast<double>(layer_bytes) +
           n * (1 - left_by_all) * static_cast<double>(expert_bytes);
}

StepCost step_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheTypes cache_types) {
    StepCost cost;
    std::uint64_t expert_bytes = 0, expert_macs = 0; // of all experts
    for (const model::MatrixPlan& matrix : plan.matrices) {
        const bool is_output = matrix.role == model::Role::output;
        const kernels::MatrixShape& shape = matrix.shape;
        std::uint64_t n_bytes =
            shape.n_rows * shape.file_blocks().count * matrix.tensor->type->block_bytes;
        if (matrix.is_by_slice) n_bytes = std::min(n_bytes, packed_bytes(matrix, family));
        const bool is_expert = is_one_of_experts(matrix.role);
        (is_output ? cost.output_bytes : is_expert ? expert_bytes : cost.layer_bytes) += n_bytes;
        if (is_of_heads(matrix.role)) cost.heads_bytes += n_bytes;
        if (quant::is_float(shape.type) || family.float_activations) continue;
        std::uint64_t n_columns = 0;
        for (const kernels::Slice& slice : shape.slices) n_columns += slice.end - slice.begin;
        (is_output   ? cost.output_macs
         : is_expert ? expert_macs
                     : cost.layer_macs) += shape.n_rows * n_columns;
    }
    if (h.n_experts > 0) {
        cost.n_experts = h.n_experts;
        cost.n_experts_used = h.n_experts_used;
        cost.expert_bytes = expert_bytes / h.n_experts; // all are alike
        cost.layer_macs += expert_macs / h.n_experts * h.n_experts_used;
    }
    cost.kv_bytes = h.n_layers * share.kv_heads.size() *
                    kernels::page_bytes(cache_types, h.head_dim) / kernels::page_positions;
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
                     workspace_->options.cache_types);
}

} // namespace pillar::forward
