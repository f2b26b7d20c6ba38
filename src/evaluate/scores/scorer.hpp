#pragma once
// What rank 0 makes of the scores of a window, beside those of the base model where there is one.

#include "scores/base_file.hpp"
#include "scores/score_file.hpp"

#include "pillar/engine/scoring.hpp"

#include <vector>

namespace pillar::evaluate {

/// Rank 0 only.
class Scorer {
  public:
    /// Neither file is owned; nullptr: none.
    Scorer(const WindowShape& shape, std::size_t vocab_size, BaseFile* base, ScoreFile* file);

    void begin(std::size_t window);
    /// The scores of the window come in order. Throws Error where the model gives no number;
    /// IoError.
    void add(const engine::Score& score);
    [[nodiscard]] const WindowScores& scores() const noexcept { return scores_; }

  private:
    WindowShape shape_;
    BaseFile* base_;
    ScoreFile* file_;
    std::size_t window_ = 0;
    WindowScores scores_;
    std::vector<double> base_log_sums_; ///< (n_scored)
    std::vector<float> base_logits_;    ///< (vocab_size): one row at a time
};

} // namespace pillar::evaluate
