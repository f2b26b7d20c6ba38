#pragma once
// The counting operators are kept in a file of their own, where the compiler cannot inline half of
// a pair.

#include <cstddef>

namespace pillar::trace {

/// Calls of operator new in this test binary so far.
[[nodiscard]] std::size_t n_allocations() noexcept;

} // namespace pillar::trace
