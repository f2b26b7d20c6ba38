#include "pillar/session/run_shape.hpp"

namespace pillar::session {

std::vector<perf::RankCost> rank_costs(const gguf::File& file, const model::Hyperparameters& h,
                                       const kernels::Family& family,
                                       kernels::CacheTypes cache_types, int n_ranks,
                                       std::span<const double> weights) {
    std::vector<perf::RankCost> ranks;
    for (int rank = 0; rank < n_ranks; ++rank) {
        const partition::Share share = partition::share_of(h.sizes(), rank, n_ranks, weights);
        const model::WeightPlan plan = model::plan_weights(file, h, share, family);
        ranks.push_back(perf::rank_cost(plan, h, share, family, cache_types));
    }
    return ranks;
}

} // namespace pillar::session
