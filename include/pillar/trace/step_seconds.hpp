#pragma once
// What a step took, with what rank 0 did before the next one, and what it was for.

#include "pillar/trace/reader.hpp"

namespace pillar::trace {

/// Whether a step was one of the answer: a draft model's are, also where it reads.
[[nodiscard]] bool is_decode(const StepRow& step) noexcept;
/// Tokens that a step of the answer has picked, at least 1: not those that were proposed in vain.
[[nodiscard]] std::uint32_t n_picked(const StepRow& step) noexcept;
/// Until the next step begins, less tracing, where that step follows at once in the same phase.
[[nodiscard]] double step_seconds(const Trace& trace, std::size_t i);

} // namespace pillar::trace
