#pragma once
// How many int8 multiplications a second a kernel family could do if nothing had to be loaded: the
// limit of prompt processing.

#include "pillar/kernels/family.hpp"
#include "pillar/threads/team.hpp"

#include <optional>

namespace pillar::measure {

/// Multiplications with addition a second by all threads of `team` together; the median of
/// `n_passes` of some ten milliseconds. Nothing when the family has no loop for it.
std::optional<double> integer_rate(const kernels::Family& family, threads::Team& team,
                                   int n_passes = 3);

} // namespace pillar::measure
