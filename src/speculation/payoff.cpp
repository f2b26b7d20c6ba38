#include "pillar/speculation/payoff.hpp"

#include <algorithm>

namespace pillar::speculation {

namespace {

/// What a further row is taken to cost, in steps of one row, until it is measured. Where memory is
/// the wall it is less; too little would make a run begin with rows that do not pay.
constexpr double believed_slope = 0.15;
constexpr double weight_of_speed = 0.3;    ///< of a new step: some steps follow a change of speed
constexpr std::uint32_t most_counted = 50; ///< steps that a point of the curve remembers
constexpr double believed_weight = 4;      ///< observations that a belief counts as
constexpr double remembered = 40;          ///< observations that a rate remembers

double believed(std::size_t n_rows) noexcept {
    return 1.0 + believed_slope * static_cast<double>(n_rows - 1);
}

void move(double& rate, double& weight, double seen) noexcept {
    weight = std::min(weight + 1, remembered);
    rate += (seen - rate) / weight;
}

} // namespace

double StepTimes::shape_at(std::size_t n_rows) const noexcept {
    std::size_t below = n_rows;
    while (below > 0 && shape_[below] == 0) --below;
    std::size_t above = n_rows;
    while (above <= max_rows && shape_[above] == 0) ++above;
    const bool has_above = above <= max_rows;
    if (below == n_rows) return shape_[n_rows];
    if (below == 0 && !has_above) return believed(n_rows);
    if (below == 0) return shape_[above] * believed(n_rows) / believed(above);
    if (!has_above) return shape_[below] + believed_slope * static_cast<double>(n_rows - below);
    const double part = static_cast<double>(n_rows - below) / static_cast<double>(above - below);
    return shape_[below] + part * (shape_[above] - shape_[below]);
}

double StepTimes::of(std::size_t n_rows) const noexcept {
    n_rows = std::min(n_rows, max_rows);
    double shape = shape_at(n_rows);
    for (std::size_t more = n_rows + 1; more <= max_rows; ++more)
        if (shape_[more] > 0) shape = std::min(shape, shape_[more]);
    return shape * speed_;
}

/// A step that was interrupted tells nothing: what it took is cut.
void StepTimes::add(std::size_t n_rows, double seconds) noexcept {
    n_rows = std::min(n_rows, max_rows);
    if (speed_ == 0) speed_ = seconds / believed(n_rows);
    const double shape = shape_at(n_rows);
    const auto ratio_now = [&] { return std::clamp(seconds / (shape * speed_), 0.5, 2.0); };
    if (n_[n_rows] >= 3) speed_ *= 1 + weight_of_speed * (ratio_now() - 1);
    const double ratio = ratio_now(); // what the speed does not explain
    n_[n_rows] = std::min(n_[n_rows] + 1, most_counted);
    shape_[n_rows] = shape * (1 + (ratio - 1) / n_[n_rows]);
}

Acceptance::Acceptance(std::span<const double> beliefs)
    : rates_(beliefs.begin(), beliefs.end()), weights_(beliefs.size(), believed_weight), mean_(0),
      mean_weight_(believed_weight) {
    for (const double belief : beliefs) mean_ += belief / static_cast<double>(beliefs.size());
}

void Acceptance::add(std::size_t one_class, bool was_right) noexcept {
    move(rates_[one_class], weights_[one_class], was_right ? 1.0 : 0.0);
}

void Acceptance::offer(std::size_t one_class) noexcept {
    move(mean_, mean_weight_, rates_[one_class]);
}

void Acceptance::doubt() noexcept {
    for (double& weight : weights_) weight = std::min(weight, believed_weight);
    mean_weight_ = std::min(mean_weight_, believed_weight);
}

bool Retries::is_due() noexcept {
    if (++n_since_ < pause_) return false;
    n_since_ = 0;
    pause_ = std::min(growth_ * pause_, longest_pause);
    return true;
}

void Retries::reset() noexcept {
    pause_ = first_pause_;
    n_since_ = 0;
}

std::size_t n_worth(const StepTimes& times, std::size_t n_rows,
                    std::span<const double> probabilities) noexcept {
    if (times.of(n_rows) <= 0) return 0; // nothing is known yet
    std::size_t best = 0;
    auto expected = static_cast<double>(n_rows);
    double best_rate = least_gain * expected / times.of(n_rows);
    for (std::size_t n = 1; n <= probabilities.size(); ++n) {
        expected += probabilities[n - 1];
        const double rate = expected / times.of(n_rows + n);
        if (rate <= best_rate) continue;
        best_rate = rate;
        best = n;
    }
    return best;
}

Choices::Choices(std::size_t n_most) {
    choices_.reserve(n_most);
    probabilities_.reserve(n_most);
}

void Choices::sort(std::size_t n_most) {
    std::ranges::sort(choices_, [](const Choice& a, const Choice& b) {
        return a.probability != b.probability ? a.probability > b.probability
                                              : a.sequence < b.sequence;
    });
    if (choices_.size() > n_most) choices_.resize(n_most);
}

std::size_t Choices::n_worth(const StepTimes& times, std::size_t n_rows) {
    probabilities_.clear();
    for (const Choice& choice : choices_) probabilities_.push_back(choice.probability);
    return speculation::n_worth(times, n_rows, probabilities_);
}

std::size_t Choices::n_of(std::size_t sequence, std::size_t n) const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count(std::span(choices_).first(n), sequence, &Choice::sequence));
}

} // namespace pillar::speculation
