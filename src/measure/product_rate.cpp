#include "pillar/measure/product_rate.hpp"

#include "pillar/core/timing.hpp"
#include "pillar/quant/synthetic.hpp"

#include <algorithm>
#include <vector>

namespace pillar::measure {

namespace {

constexpr std::size_t n_columns = 4096; ///< of a layer's matrix in models of ordinary size

std::size_t row_bytes(quant::Type type) {
    const quant::TypeInfo& format = quant::info(type);
    return n_columns / format.block_weights * format.block_bytes;
}

kernels::MatrixShape shape_of(const kernels::Family& family, quant::Type type,
                              std::size_t n_bytes) {
    const std::size_t a_group = family.rows_per_group(type);
    const std::size_t n_groups = std::max<std::size_t>(1, n_bytes / (a_group * row_bytes(type)));
    return {type, n_groups * a_group, n_columns, {{0, n_columns}}};
}

kernels::ActivationLayout whole_row() {
    const kernels::Slice row{0, n_columns};
    return kernels::ActivationLayout({&row, 1});
}

} // namespace

ProductRate::ProductRate(const kernels::Family& family, quant::Type type, threads::Team& team,
                         std::size_t n_bytes)
    : matrix_(family, shape_of(family, type, n_bytes)),
      vector_(whole_row(), 1, family.panel_columns), result_(matrix_.shape().n_rows) {
    n_bytes_ = matrix_.shape().n_rows * row_bytes(type);
    std::vector<std::byte> row(row_bytes(type));
    quant::SyntheticWeights(type, 1, 0.02).fill(0, row);
    const std::vector<const std::byte*> rows(family.rows_per_group(type), row.data());
    team.run([&](threads::Worker worker) {
        const Range groups = worker.share(matrix_.n_groups());
        for (std::size_t g = groups.begin; g < groups.end; ++g) matrix_.pack_group(g, rows);
    });
    vector_.set_columns(1);
    for (std::size_t i = 0; i < n_columns; ++i)
        vector_.column(0)[i] = static_cast<float>(i % 17) - 8.0f;
    if (!family.float_activations) family.quantize(vector_, 0, 0, vector_.layout.n_blocks);
}

void ProductRate::pass(threads::Team& team) {
    team.run([&](threads::Worker worker) {
        const Range groups = worker.share(matrix_.n_groups());
        kernels::multiply(matrix_, vector_, result_.data(), result_.size(), groups.begin,
                          groups.end);
    });
}

double ProductRate::measure(threads::Team& team, double seconds) {
    pass(team);
    const Stopwatch clock;
    double elapsed_s = 0;
    std::size_t n_passes = 0;
    do {
        pass(team);
        ++n_passes;
        elapsed_s = clock.elapsed_s();
    } while (elapsed_s < seconds);
    return static_cast<double>(n_passes * n_bytes_) / elapsed_s;
}

} // namespace pillar::measure
