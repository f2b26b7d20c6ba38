#include "pillar/partition/uneven.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pillar::partition {

namespace {

constexpr double grain = 1000;  ///< shares are printed, typed and recorded in thousandths
constexpr int max_rounds = 100; ///< of trying smaller caps

double total_of(const Need& need) {
    return static_cast<double>(need.fixed) + static_cast<double>(need.growing);
}

/// Thousandths; a rank that has anything keeps one.
std::vector<double> rounded(std::vector<double> shares) {
    for (double& share : shares)
        if (share > 0) share = std::max(1.0, std::round(share * grain)) / grain;
    return shares;
}

/// Makes the cap of every rank that needs more than it has smaller. False: all fit.
bool lower_caps(std::vector<double>& caps, std::span<const double> weights,
                std::span<const std::uint64_t> available, NeedOf need) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    bool lowered = false;
    for (std::size_t r = 0; r < caps.size(); ++r) {
        const Need needed = need(static_cast<int>(r), weights);
        const auto has = static_cast<double>(available[r]);
        if (total_of(needed) <= has) continue;
        lowered = true;
        // Units are whole and KV heads may be held twice: what fits in proportion may be too much.
        const double share = weights[r] / sum;
        const double room = std::max(0.0, has - static_cast<double>(needed.fixed));
        const double growing = std::max(1.0, static_cast<double>(needed.growing));
        caps[r] = std::max(0.0, std::min(share * std::min(1.0, room / growing), share - 1 / grain));
    }
    return lowered;
}

bool even_fits(std::size_t n_ranks, std::span<const std::uint64_t> available, NeedOf need) {
    for (std::size_t r = 0; r < n_ranks; ++r)
        if (total_of(need(static_cast<int>(r), {})) > static_cast<double>(available[r]))
            return false;
    return true;
}

} // namespace

bool speeds_differ(std::span<const double> speeds) noexcept {
    const auto [least, most] = std::ranges::minmax(speeds);
    return most > least * (1 + min_difference);
}

std::vector<double> fill(std::span<const double> speeds, std::span<const double> caps) {
    if (std::accumulate(caps.begin(), caps.end(), 0.0) < 1) return {};
    std::vector<double> shares(speeds.size(), 0.0);
    std::vector<bool> is_full(speeds.size(), false);
    for (bool more = true; more;) {
        double rest = 1, speed = 0;
        for (std::size_t r = 0; r < speeds.size(); ++r) {
            if (is_full[r])
                rest -= shares[r];
            else
                speed += speeds[r];
        }
        more = false;
        std::vector<std::size_t> filled;
        for (std::size_t r = 0; r < speeds.size(); ++r) {
            if (is_full[r]) continue;
            shares[r] = std::max(0.0, rest) * speeds[r] / speed;
            if (shares[r] > caps[r]) filled.push_back(r);
        }
        for (const std::size_t r : filled) {
            shares[r] = caps[r];
            is_full[r] = more = true;
        }
    }
    return shares;
}

Assignment assign_by_speed(std::span<const double> speeds, std::span<const std::uint64_t> available,
                           NeedOf need) {
    Assignment assignment;
    assignment.speeds_are_equal = !speeds_differ(speeds);
    const std::size_t n = speeds.size();
    if (n == 1 || (assignment.speeds_are_equal && even_fits(n, available, need))) return assignment;

    std::vector<double> caps(n, 1.0);
    const std::vector<double> wanted = fill(speeds, caps);
    const std::vector<double> by_speed = rounded(wanted);
    std::vector<double> weights = by_speed;
    for (int round = 0; lower_caps(caps, weights, available, need); ++round) {
        std::vector<double> shares;
        if (round < max_rounds) shares = fill(speeds, caps);
        if (shares.empty()) { // no split fits: let the memory check say so
            if (!assignment.speeds_are_equal) assignment.weights = by_speed;
            return assignment;
        }
        weights = rounded(std::move(shares));
    }
    for (std::size_t r = 0; r < n; ++r)
        if (weights[r] < by_speed[r]) assignment.full.push_back(static_cast<int>(r));
    assignment.weights = std::move(weights);
    return assignment;
}

} // namespace pillar::partition
