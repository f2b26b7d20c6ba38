#include "dry_run/prediction.hpp"

#include "work.hpp"

#include "pillar/engine/message_sizes.hpp"
#include "pillar/forward/micro_batches.hpp"
#include "pillar/perf/network_model.hpp"
#include "pillar/perf/step_model.hpp"
#include "pillar/sampling/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pillar::bench {

comm::AllreduceChoice choose_allreduce(const perf::NetworkProfile& network,
                                       std::optional<comm::Algorithm> asked, comm::Wire wire,
                                       int n_ranks, std::size_t dim, std::size_t n_batch) {
    if (asked) return comm::only(*asked);
    const std::size_t longer = dim * forward::first_micro_batch(n_batch, n_ranks);
    return {perf::fastest_allreduce(network, wire, n_ranks, dim),
            perf::fastest_allreduce(network, wire, n_ranks, longer), dim};
}

Prediction predict(const engine::BenchmarkTest& test, const perf::RunShape& shape,
                   const perf::MachineProfile& profile) {
    const std::size_t n_candidates = sampling::candidates_needed(sampling::Parameters());
    std::vector<perf::StepWork> steps;
    for (const perf::StepRows& rows : steps_of(test)) {
        perf::StepWork& work = steps.emplace_back(perf::step_work(shape, rows));
        work.request_bytes = engine::request_bytes(rows.n_rows);
        work.reply_bytes = engine::reply_bytes(rows.n_logits, n_candidates);
    }
    const auto outcome =
        perf::intervals({{profile}, {}}, [&](const perf::Cluster& nodes) -> std::vector<double> {
            perf::StepTime time;
            for (const perf::StepWork& work : steps) time += perf::step_time(nodes, work);
            return {time.latency_s + time.bandwidth_s + time.reduction_s, time.total()};
        });
    return {outcome[0], outcome[1]};
}

std::vector<PlayedPart> parts_to_play(const perf::RunShape& shape,
                                      const perf::MachineProfile& profile) {
    const perf::StepWork token = perf::step_work(shape, perf::rows_of_one(0, 1, true));
    std::vector<double> costs_s;
    for (const perf::RankWork& rank : token.ranks)
        costs_s.push_back(perf::compute_time(profile, rank).total());
    const auto slowest = std::ranges::max_element(costs_s);
    const auto fastest = std::ranges::min_element(costs_s);
    if (*slowest == *fastest) return {{0, "all alike"}};
    const double mean_s =
        std::accumulate(costs_s.begin(), costs_s.end(), 0.0) / static_cast<double>(costs_s.size());
    const auto middle = std::ranges::min_element(
        costs_s, {}, [&](double cost_s) { return std::abs(cost_s - mean_s); });
    const auto rank_of = [&](auto at) { return static_cast<int>(at - costs_s.begin()); };
    std::vector<PlayedPart> parts{{rank_of(slowest), "slowest"}};
    // One that costs as much as a part that is played anyway tells nothing more.
    if (*middle != *slowest && *middle != *fastest) parts.push_back({rank_of(middle), "mean"});
    parts.push_back({rank_of(fastest), "fastest"});
    return parts;
}

} // namespace pillar::bench
