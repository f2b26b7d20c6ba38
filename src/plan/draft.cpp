#include "draft.hpp"

namespace pillar::plan {

namespace {

/// A step that checks `k` proposals, and what proposing them took.
double step_s(const Job& job, const Job* proposer, const perf::Cluster& cluster,
              const PlanRequest& request, std::size_t k) {
    perf::StepRows rows = perf::rows_of_one(request.depth, 1 + k, true);
    rows.n_logits = rows.n_rows;
    double time_s = perf::step_time(cluster, work_of(job, cluster, request, rows)).total();
    if (proposer != nullptr && k > 0) {
        const perf::StepRows one = perf::rows_of_one(request.depth, 1, true);
        time_s += static_cast<double>(k) *
                  perf::step_time(cluster, work_of(*proposer, cluster, request, one)).total();
    }
    return time_s;
}

} // namespace

double tokens_a_step(std::size_t k, double acceptance) noexcept {
    double tokens = 1, all_right = 1;
    for (std::size_t i = 0; i < k; ++i) tokens += all_right *= acceptance;
    return tokens;
}

DraftRow best_draft(const Job& job, const Job* proposer, const perf::Cluster& cluster,
                    const PlanRequest& request) {
    const double acceptance = request.draft->acceptance;
    const double alone_s = step_s(job, proposer, cluster, request, 0);
    DraftRow best;
    best.step_s = alone_s;
    for (std::size_t k = 1; k <= request.draft->n_most; ++k) {
        const double time_s = step_s(job, proposer, cluster, request, k);
        const double tokens = tokens_a_step(k, acceptance);
        if (tokens / time_s <= best.tokens_a_step / best.step_s) continue;
        best.length = k;
        best.tokens_a_step = tokens;
        best.step_s = time_s;
    }
    best.cost = best.step_s / alone_s;
    const auto outcome = perf::intervals(cluster, [&](const perf::Cluster& nodes) {
        const double per_s =
            best.tokens_a_step / step_s(job, proposer, nodes, request, best.length);
        return std::vector<double>{per_s, per_s * step_s(job, proposer, nodes, request, 0)};
    });
    best.tokens_per_s = outcome[0];
    best.gain = outcome[1];
    return best;
}

} // namespace pillar::plan
