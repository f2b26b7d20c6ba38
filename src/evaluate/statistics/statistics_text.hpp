#pragma once
// The statistics as llama-perplexity prints them, so that what reads its output reads this.

#include "statistics/statistics.hpp"

#include <cstddef>
#include <string>

namespace pillar::evaluate {

/// "[3]14.2218,": the perplexity of all windows so far.
std::string running_text(std::size_t n_windows, const Sums& nll);
/// "Final estimate: PPL = 18.3914 +/- 0.86500"
std::string final_text(const Sums& nll);

/// The head of the lines that follow.
std::string comparison_head();
/// A line: all windows so far.
std::string comparison_line(std::size_t n_windows, const ComparisonSums& sums);
/// What all tokens say together.
std::string comparison_summary(const ComparisonSums& sums);

} // namespace pillar::evaluate
