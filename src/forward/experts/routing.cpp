#include "experts/routing.hpp"

#include "pillar/core/elementary.hpp"
#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::forward {

namespace {

/// Whether score a, of an expert that comes later, goes before score b.
bool is_above(float a, float b) noexcept {
    return std::isnan(a) ? !std::isnan(b) : a > b;
}

} // namespace

void choose_experts(std::span<const float> scores, std::span<ChosenExpert> chosen) noexcept {
    const std::size_t n = std::min(chosen.size(), scores.size());
    // The best so far with their scores, from the largest on: each new one goes behind its equals.
    std::size_t n_found = 0;
    for (std::size_t e = 0; e < scores.size(); ++e) {
        if (n_found == n && !is_above(scores[e], chosen[n - 1].weight)) continue;
        std::size_t at = n_found < n ? n_found++ : n - 1;
        for (; at > 0 && is_above(scores[e], chosen[at - 1].weight); --at)
            chosen[at] = chosen[at - 1];
        chosen[at] = {static_cast<std::uint32_t>(e), scores[e]};
    }
    const float largest = chosen[0].weight;
    std::sort(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(n),
              [](const ChosenExpert& a, const ChosenExpert& b) { return a.expert < b.expert; });
    float sum = 0;
    for (ChosenExpert& one : chosen.first(n)) {
        one.weight = exp_f32(one.weight - largest);
        sum += one.weight;
    }
    for (ChosenExpert& one : chosen.first(n)) one.weight /= sum;
}

ExpertGroups::ExpertGroups(std::size_t n_experts, std::size_t n_used, std::size_t max_rows)
    : n_used_(n_used), places_(n_experts), groups_(n_experts), members_(max_rows * n_used) {}

std::size_t ExpertGroups::size_bytes(std::size_t n_experts, std::size_t n_used,
                                     std::size_t max_rows) noexcept {
    return n_experts * (sizeof(std::size_t) + sizeof(Group)) + max_rows * n_used * sizeof(Member);
}

void ExpertGroups::make(std::span<const ChosenExpert> choices) noexcept {
    expects(choices.size() <= members_.size(), "there is room for the rows");
    std::ranges::fill(places_, std::size_t{0});
    for (const ChosenExpert& choice : choices) ++places_[choice.expert];
    n_groups_ = cost_ = 0;
    std::size_t begin = 0;
    for (std::size_t e = 0; e < places_.size(); ++e) {
        const std::size_t n = places_[e];
        places_[e] = begin;
        if (n == 0) continue;
        groups_[n_groups_] = {e, begin, n};
        cost_ += cost_of(groups_[n_groups_++]);
        begin += n;
    }
    n_members_ = begin;
    for (std::size_t i = 0; i < choices.size(); ++i)
        members_[places_[choices[i].expert]++] = {static_cast<std::uint32_t>(i / n_used_),
                                                  choices[i].weight};
}

} // namespace pillar::forward
