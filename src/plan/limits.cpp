#include "limits.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace pillar::plan {

std::string_view name_of(Limit limit) noexcept {
    constexpr std::array<std::string_view, 5> names = {"memory", "arithmetic", "imbalance",
                                                       "latency", "bytes"};
    return names[static_cast<std::size_t>(limit)];
}

Limit Limits::binding() const noexcept {
    const double all[] = {memory_s, arithmetic_s, imbalance_s, latency_s, bytes_s};
    return static_cast<Limit>(std::ranges::max_element(all) - std::begin(all));
}

Limits limits_of(const perf::Cluster& cluster, const perf::StepWork& work,
                 const perf::StepTime& time) {
    double mean_s = 0;
    for (std::size_t rank = 0; rank < work.ranks.size(); ++rank)
        mean_s += perf::compute_time(cluster.of(rank), work.ranks[rank]).total() /
                  static_cast<double>(work.ranks.size());
    Limits limits;
    (time.arithmetic_bound ? limits.arithmetic_s : limits.memory_s) = mean_s;
    limits.imbalance_s = std::max(0.0, time.matrices_s + time.attention_s - mean_s);
    limits.latency_s = time.latency_s + time.barriers_s;
    limits.bytes_s = time.bandwidth_s + time.reduction_s;
    return limits;
}

} // namespace pillar::plan
