// The matrices of a rank by what limits their products.

#include "pillar/perf/step_model.hpp"

#include "pillar/quant/type.hpp"

namespace pillar::perf {

namespace {

/// Bytes and multiplications of layers, of the chosen experts' part of them, and of the output.
struct Sums {
    double layer_bytes = 0, output_bytes = 0, layer_macs = 0, output_macs = 0;
};

void add(Sums& sums, const model::MatrixPlan& matrix, double share_of_experts) {
    const kernels::MatrixShape& shape = matrix.shape;
    const auto n_rows = static_cast<double>(shape.n_rows);
    const double n_bytes = n_rows * static_cast<double>(shape.file_blocks().count) *
                           static_cast<double>(matrix.tensor->type->block_bytes);
    double n_columns = 0;
    for (const kernels::Slice& slice : shape.slices)
        n_columns += static_cast<double>(slice.end - slice.begin);
    if (matrix.role == model::Role::output) {
        sums.output_bytes += n_bytes;
        sums.output_macs += n_rows * n_columns;
    } else {
        const bool is_chosen =
            model::is_of_experts(matrix.role) && matrix.role != model::Role::router;
        sums.layer_bytes += n_bytes * (is_chosen ? share_of_experts : 1);
        sums.layer_macs += n_rows * n_columns * (is_chosen ? share_of_experts : 1);
    }
}

FormatPart part_of(const Sums& sums, const Sums& all) {
    const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
    return {share(sums.layer_bytes, all.layer_bytes), share(sums.output_bytes, all.output_bytes),
            sums.layer_macs, sums.output_macs};
}

} // namespace

RankCost rank_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheTypes cache_types) {
    const double share_of_experts =
        h.n_experts > 0 ? static_cast<double>(h.n_experts_used) / static_cast<double>(h.n_experts)
                        : 1;
    Sums all, grids, floats;
    for (const model::MatrixPlan& matrix : plan.matrices) {
        add(all, matrix, share_of_experts);
        if (quant::is_grid(matrix.shape.type)) add(grids, matrix, share_of_experts);
        if (quant::is_float(matrix.shape.type)) add(floats, matrix, share_of_experts);
    }
    return {forward::step_cost(plan, h, share, family, cache_types), share.heads.size(),
            part_of(grids, all), part_of(floats, all)};
}

} // namespace pillar::perf
