#pragma once
// How many proposals pay: from how often proposals of each class of confidence were right, and from
// what steps of so many rows have taken. Both are measured while the run goes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::speculation {

/// What steps take by their rows. The machine's speed, which moves from second to second, is kept
/// apart from the shape of the curve, which does not: so a step of 8 rows that was slow in a busy
/// second is not held against 8 rows.
class StepTimes {
  public:
    static constexpr std::size_t max_rows = 128; ///< more are not told apart

    void add(std::size_t n_rows, double seconds) noexcept;
    /// Seconds that a step of 1 ≤ `n_rows` takes now: measured, or between what was measured, and
    /// no more than steps of more rows. 0 before the first add().
    [[nodiscard]] double of(std::size_t n_rows) const noexcept;

  private:
    [[nodiscard]] double shape_at(std::size_t n_rows) const noexcept;

    double speed_ = 0;                            ///< seconds of a step whose shape is 1
    std::array<double, max_rows + 1> shape_{};    ///< 0: not measured yet
    std::array<std::uint32_t, max_rows + 1> n_{}; ///< how often
};

/// How often proposals of a class were right, lately.
class Acceptance {
  public:
    /// One class each, and what is believed of it before anything is known.
    explicit Acceptance(std::span<const double> beliefs);

    [[nodiscard]] double of(std::size_t one_class) const noexcept { return rates_[one_class]; }
    /// Of the proposals there are to choose from, whatever their classes.
    [[nodiscard]] double mean() const noexcept { return mean_; }
    /// A proposal that was checked.
    void add(std::size_t one_class, bool was_right) noexcept;
    /// A proposal that there is, to be checked or not.
    void offer(std::size_t one_class) noexcept;
    /// What is known is of another time: it counts no more than a belief.
    void doubt() noexcept;

  private:
    std::vector<double> rates_;
    std::vector<double> weights_; ///< observations that a belief or a history counts as
    double mean_;
    double mean_weight_;
};

/// Now and then something that did not pay is tried again: after so many times, then after
/// `growth` times as many, up to 512.
class Retries {
  public:
    constexpr Retries(std::size_t first_pause, std::size_t growth) noexcept
        : first_pause_(first_pause), growth_(growth) {}

    /// It does not pay this time. True: try nevertheless.
    [[nodiscard]] bool is_due() noexcept;
    /// It pays.
    void reset() noexcept;

  private:
    static constexpr std::size_t longest_pause = 512;

    std::size_t first_pause_, growth_;
    std::size_t pause_ = first_pause_;
    std::size_t n_since_ = 0;
};

/// What a choice of proposals has to bring beyond what the step brings anyway.
inline constexpr double least_gain = 1.02;

/// Of proposals that are right with these probabilities, the largest first, how many are worth
/// their rows in a step of `n_rows` without them: those with which a step picks the most tokens a
/// second. 0: none.
[[nodiscard]] std::size_t n_worth(const StepTimes& times, std::size_t n_rows,
                                  std::span<const double> probabilities) noexcept;

/// The likeliest proposals of several sequences together.
class Choices {
  public:
    /// Room for so many proposals at a time.
    explicit Choices(std::size_t n_most);

    void clear() noexcept { choices_.clear(); }
    /// The next proposal of a sequence: that it is right, and all before it, which is not likelier
    /// than that those before it are.
    void add(std::size_t sequence, double probability) {
        choices_.push_back({probability, sequence});
    }
    /// The likeliest come first, at most `n_most`. Those of a sequence stay in order.
    void sort(std::size_t n_most);
    /// How many of them pay in a step that has `n_rows` without them.
    [[nodiscard]] std::size_t n_worth(const StepTimes& times, std::size_t n_rows);
    /// Of the first n: those of one sequence.
    [[nodiscard]] std::size_t n_of(std::size_t sequence, std::size_t n) const noexcept;
    [[nodiscard]] std::size_t size() const noexcept { return choices_.size(); }

  private:
    struct Choice {
        double probability;
        std::size_t sequence;
    };
    std::vector<Choice> choices_;
    std::vector<double> probabilities_;
};

} // namespace pillar::speculation
