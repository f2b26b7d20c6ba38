#include "pillar/engine/ngram_draft.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::engine {

namespace {

constexpr double weight_of_new = 0.1; ///< in moving averages
constexpr std::size_t steps_between_tries = 32;

void move(double& average, double value) noexcept {
    average += weight_of_new * (value - average);
}

} // namespace

std::span<const sampling::TokenId> continuation(std::span<const sampling::TokenId> tokens,
                                                std::size_t n) noexcept {
    const std::size_t size = tokens.size();
    std::size_t best = 0, best_length = min_suffix - 1;
    for (std::size_t end = size - 1; end >= min_suffix && best_length < max_suffix; --end) {
        std::size_t length = 0; // tokens [end − length, end) are the last ones
        while (length < std::min(max_suffix, end) &&
               tokens[end - 1 - length] == tokens[size - 1 - length])
            ++length;
        if (length <= best_length) continue;
        best_length = length;
        best = end;
    }
    if (best == 0) return {};
    return tokens.subspan(best, std::min(n, size - best));
}

/// What a step costs, as far as it is known: of another length by the nearest shorter one, which
/// is no less than the truth by much where memory is the wall.
double DraftLength::cost(std::size_t n_proposed) const noexcept {
    for (std::size_t n = n_proposed; n > 0; --n)
        if (step_s_[n] > 0) return step_s_[n];
    return step_s_[0] > 0 ? step_s_[0] : 1.0;
}

std::size_t DraftLength::next() noexcept {
    std::size_t best = 0;
    double best_rate = 1.0 / cost(0), expected = 1.0, all_right = 1.0;
    for (std::size_t n = 1; n <= n_max_; ++n) {
        all_right *= acceptance_;
        expected += all_right;
        if (expected / cost(n) <= best_rate) continue;
        best_rate = expected / cost(n);
        best = n;
    }
    if (best == 0 && n_max_ > 0 && ++n_since_try_ >= steps_between_tries) {
        n_since_try_ = 0;
        return 1;
    }
    return best;
}

void DraftLength::add(std::size_t n_proposed, std::size_t n_accepted, double step_s) noexcept {
    double& known = step_s_[n_proposed];
    if (known == 0)
        known = step_s;
    else
        move(known, step_s);
    for (std::size_t i = 0; i < std::min(n_accepted + 1, n_proposed); ++i)
        move(acceptance_, i < n_accepted ? 1.0 : 0.0);
}

} // namespace pillar::engine
