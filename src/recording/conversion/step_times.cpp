// Dividing a step. Parents have lower numbers than their children in the binomial tree, so one pass
// up or down the ranks follows every path.

#include "step_times.hpp"

#include "pillar/comm/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pillar::recording {

namespace {

constexpr double never = -std::numeric_limits<double>::infinity();

bool same_collectives(std::span<const RankStep> steps) {
    for (const RankStep& step : steps) {
        if (step.head != nullptr && !std::ranges::equal(step.kind, steps[0].kind)) return false;
    }
    return true;
}

/// Into [0, highest].
double clip(double value, double highest) {
    return std::max(0.0, std::min(value, highest));
}

double sum(std::span<const float> values) {
    double total = 0;
    for (const float value : values) total += value;
    return total;
}

/// What comes before the first layer and after the last one's sum: the gaps around the all-reduces
/// of a step that has a broadcast first and a gather last.
void divide_computing(const RankStep& step, trace::RankTimes& times) {
    const std::size_t n = step.kind.size();
    const double layers_begin_s = step.head->layers_begin_s;
    const auto is = [&](std::size_t k, CollectiveKind kind) {
        return step.kind[k] == static_cast<std::uint8_t>(kind);
    };
    if (std::isnan(layers_begin_s) || n < 3 || !is(0, CollectiveKind::broadcast) ||
        !is(n - 2, CollectiveKind::allreduce) || !is(n - 1, CollectiveKind::gather))
        return;
    times.embed_s = std::max(0.0, layers_begin_s - step.gap_s[0] - step.length_s[0]);
    times.output_s = step.gap_s[n - 1];
}

} // namespace

StepDivider::StepDivider(const ClockTable& clocks)
    : clocks_(&clocks), parents_(clocks.n_ranks()), begins_(clocks.n_ranks()),
      latest_(clocks.n_ranks()), latest_rank_(clocks.n_ranks()), parts_(clocks.n_ranks()),
      uncertainties_s_(clocks.n_ranks()) {
    const int size = static_cast<int>(clocks.n_ranks());
    for (int rank = 1; rank < size; ++rank) {
        const int parent = comm::binomial_tree(rank, size).parent;
        expects(parent >= 0 && parent < rank, "parents come first in the binomial tree");
        parents_[static_cast<std::size_t>(rank)] = static_cast<std::size_t>(parent);
    }
}

void StepDivider::divide(std::span<const RankStep> steps, std::span<trace::RankTimes> times) {
    collectives_.clear();
    waits_.clear();
    for (std::size_t rank = 0; rank < steps.size(); ++rank) {
        const StepHead* head = steps[rank].head;
        parts_[rank].clear();
        times[rank] = {trace::missing_number, trace::missing_number, trace::missing_number,
                       trace::missing_number, trace::missing_number};
        if (head == nullptr) continue;
        times[rank].compute_s = head->end_s - head->begin_s - sum(steps[rank].length_s);
        divide_computing(steps[rank], times[rank]);
    }
    if (steps[0].head == nullptr || !same_collectives(steps)) return;
    place(steps);
    for (std::size_t rank = 0; rank < steps.size(); ++rank) {
        if (steps[rank].head == nullptr) continue;
        times[rank].wait_s = times[rank].wire_s = times[rank].idle_s = 0;
        times[rank].wait_uncertainty_s = 0;
    }
    for (std::size_t k = 0; k < steps[0].kind.size(); ++k) divide_one(k, steps, times);
}

/// Put all arrivals on rank 0's clock.
void StepDivider::place(std::span<const RankStep> steps) {
    step_begin_s_ = clocks_->to_root(0, steps[0].head->begin_s);
    uncertainty_s_ = 0;
    for (std::size_t rank = 0; rank < steps.size(); ++rank) {
        const RankStep& step = steps[rank];
        begins_[rank].assign(steps[0].kind.size(), never);
        if (step.head == nullptr) continue;
        double local_s = step.head->begin_s;
        uncertainties_s_[rank] = clocks_->uncertainty_s(rank, local_s);
        uncertainty_s_ = std::max(uncertainty_s_, uncertainties_s_[rank]);
        for (std::size_t k = 0; k < step.gap_s.size(); ++k) {
            local_s += step.gap_s[k];
            begins_[rank][k] = clocks_->to_root(rank, local_s);
            local_s += step.length_s[k];
        }
    }
}

void StepDivider::find_latest(CollectiveKind kind, std::size_t k) {
    const std::size_t n = begins_.size();
    std::fill(latest_.begin(), latest_.end(), never);
    // `waiter` cannot go on before `other` has come, nor before those that `other` waits for.
    const auto depend = [&](std::size_t waiter, std::size_t other) {
        const bool is_own = begins_[other][k] >= latest_[other];
        const double arrival = is_own ? begins_[other][k] : latest_[other];
        if (arrival <= latest_[waiter]) return;
        latest_[waiter] = arrival;
        latest_rank_[waiter] = is_own ? other : latest_rank_[other];
    };
    if (kind == CollectiveKind::broadcast) {
        for (std::size_t rank = 1; rank < n; ++rank) depend(rank, parents_[rank]);
    } else if (kind == CollectiveKind::gather) {
        for (std::size_t rank = n - 1; rank > 0; --rank) depend(parents_[rank], rank);
    } else if (n > 1) {
        std::size_t last = 0;
        for (std::size_t rank = 1; rank < n; ++rank)
            if (begins_[rank][k] > begins_[last][k]) last = rank;
        std::fill(latest_.begin(), latest_.end(), begins_[last][k]);
        std::fill(latest_rank_.begin(), latest_rank_.end(), last);
    }
}

void StepDivider::divide_one(std::size_t k, std::span<const RankStep> steps,
                             std::span<trace::RankTimes> times) {
    CollectiveTimes whole{.kind = static_cast<CollectiveKind>(steps[0].kind[k])};
    find_latest(whole.kind, k);
    std::size_t n_present = 0;
    for (std::size_t rank = 0; rank < steps.size(); ++rank) {
        if (steps[rank].head == nullptr) continue;
        double begin_s = begins_[rank][k];
        double length_s = steps[rank].length_s[k];
        if (k == 0 && whole.kind == CollectiveKind::broadcast) {
            const double idle_s = clip(step_begin_s_ - begin_s, length_s);
            times[rank].idle_s = idle_s;
            begin_s += idle_s;
            length_s -= idle_s;
        }
        const double wait_s = clip(latest_[rank] - begin_s, length_s);
        parts_[rank].push_back({wait_s, length_s - wait_s});
        times[rank].wait_s += wait_s;
        times[rank].wire_s += length_s - wait_s;
        if (latest_[rank] != never) {
            const double uncertainty_s =
                std::min(length_s, uncertainty_s_ + uncertainties_s_[rank]);
            times[rank].wait_uncertainty_s += uncertainty_s;
            if (wait_s > 0)
                waits_.push_back({static_cast<std::uint32_t>(rank),
                                  static_cast<std::uint32_t>(latest_rank_[rank]), wait_s,
                                  uncertainty_s});
        }
        whole.bytes = std::max(whole.bytes, steps[rank].bytes[k]);
        whole.wait_s += wait_s;
        whole.wire_s += length_s - wait_s;
        ++n_present;
    }
    whole.wait_s /= static_cast<double>(n_present);
    whole.wire_s /= static_cast<double>(n_present);
    collectives_.push_back(whole);
}

} // namespace pillar::recording
