#pragma once
// What a step took, with what rank 0 did before the next one.

#include "pillar/trace/reader.hpp"

namespace pillar::trace {

/// Until the next step begins, less tracing, where that step follows at once in the same phase.
[[nodiscard]] double step_seconds(const Trace& trace, std::size_t i);

} // namespace pillar::trace
