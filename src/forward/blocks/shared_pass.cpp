// Cutting a pass into pieces of about equally many bytes.

#include "blocks/shared_pass.hpp"

#include "pillar/core/sizes.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

/// A place where a piece may end: before group `group` of matrix `matrix`.
struct Cut {
    std::size_t matrix;
    std::size_t group;
    std::uint64_t bytes; ///< of all that lies before it
};

std::vector<Cut> places_to_cut(std::span<const PassMatrix> matrices) {
    std::vector<Cut> cuts;
    std::uint64_t bytes = 0;
    for (std::size_t m = 0; m < matrices.size(); ++m) {
        const PassMatrix& matrix = matrices[m];
        const std::size_t n_groups = ceil_div(matrix.n_rows, matrix.rows_per_group);
        for (std::size_t g = 0; g < n_groups; ++g) {
            if (g * matrix.rows_per_group % matrix.head_rows % matrix.unit_rows == 0)
                cuts.push_back({m, g, bytes});
            bytes += matrix.group_bytes;
        }
    }
    cuts.push_back({matrices.size(), 0, bytes});
    return cuts;
}

} // namespace

SharedPass::SharedPass(std::span<const PassMatrix> matrices, int n_threads)
    : n_matrices_(matrices.size()) {
    const auto n = static_cast<std::size_t>(n_threads);
    const std::vector<Cut> cuts = places_to_cut(matrices);
    const std::uint64_t total = cuts.back().bytes;
    std::uint64_t before = 0;
    for (std::size_t t = 0; t <= n; ++t) { // the place nearest to t equal shares
        const std::uint64_t target = total * t / n;
        const auto above =
            std::lower_bound(cuts.begin(), cuts.end(), target,
                             [](const Cut& cut, std::uint64_t b) { return cut.bytes < b; });
        const auto below = above == cuts.begin() ? above : above - 1;
        const Cut& cut = t == n ? cuts.back()
                                : (target - below->bytes < above->bytes - target ? *below : *above);
        for (std::size_t m = 0; m < matrices.size(); ++m) {
            const std::size_t n_groups = ceil_div(matrices[m].n_rows, matrices[m].rows_per_group);
            borders_.push_back(m < cut.matrix ? n_groups : m == cut.matrix ? cut.group : 0);
        }
        if (t > 0) bytes_.push_back(cut.bytes - before);
        before = cut.bytes;
    }
}

} // namespace pillar::forward
