// Piecewise linear offsets. A measurement at rank 0's time t belongs to the rank's own time t −
// offset.

#include "clock.hpp"

#include <algorithm>

namespace pillar::recording {

ClockTable::ClockTable(const std::vector<ClockSample>& samples, std::size_t n_ranks)
    : ranks_(n_ranks) {
    for (const ClockSample& sample : samples) {
        for (std::size_t rank = 0; rank < std::min(n_ranks, sample.offsets.size()); ++rank) {
            const auto& [offset_s, uncertainty_s] = sample.offsets[rank];
            ranks_[rank].push_back({sample.time_s - offset_s, offset_s, uncertainty_s});
        }
    }
}

std::size_t ClockTable::after(std::size_t rank, double local_s) const noexcept {
    const auto& points = ranks_[rank];
    const auto point =
        std::upper_bound(points.begin(), points.end(), local_s,
                         [](double time, const Point& p) { return time < p.local_s; });
    return static_cast<std::size_t>(point - points.begin());
}

double ClockTable::to_root(std::size_t rank, double local_s) const noexcept {
    const auto& points = ranks_[rank];
    if (points.empty()) return local_s;
    const std::size_t next = after(rank, local_s);
    if (next == 0) return local_s + points.front().offset_s;
    if (next == points.size()) return local_s + points.back().offset_s;
    const Point& a = points[next - 1];
    const Point& b = points[next];
    const double share = (local_s - a.local_s) / (b.local_s - a.local_s);
    return local_s + a.offset_s + share * (b.offset_s - a.offset_s);
}

double ClockTable::uncertainty_s(std::size_t rank, double local_s) const noexcept {
    const auto& points = ranks_[rank];
    if (points.empty()) return 0;
    const std::size_t next = after(rank, local_s);
    const Point& a = points[next == 0 ? 0 : next - 1];
    const Point& b = points[next == points.size() ? next - 1 : next];
    return std::max(a.uncertainty_s, b.uncertainty_s);
}

double ClockTable::max_uncertainty_s(std::size_t rank) const noexcept {
    double largest = 0;
    for (const Point& point : ranks_[rank]) largest = std::max(largest, point.uncertainty_s);
    return largest;
}

double ClockTable::first_offset_s(std::size_t rank) const noexcept {
    return ranks_[rank].empty() ? 0 : ranks_[rank].front().offset_s;
}

double ClockTable::last_offset_s(std::size_t rank) const noexcept {
    return ranks_[rank].empty() ? 0 : ranks_[rank].back().offset_s;
}

} // namespace pillar::recording
