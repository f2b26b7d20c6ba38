#pragma once
// The time of very many steps that grow alike: a prompt of a hundred million tokens in chunks.

#include "pillar/core/function_ref.hpp"
#include "pillar/perf/step_model.hpp"

#include <cstddef>

namespace pillar::perf {

/// The sum of `time`(0) … `time`(n − 1), where each part of the time is made of few straight pieces
/// (what a chunk takes grows with its position, from some position on faster). Asks for a few
/// hundred of them at most, and adds up all of them as long as there are few.
StepTime sum_of_pieces(std::size_t n, FunctionRef<StepTime(std::size_t)> time);

} // namespace pillar::perf
