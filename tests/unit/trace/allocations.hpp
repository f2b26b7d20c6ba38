#pragma once
// Counts calls of operator new in this test binary. The operators are in a file of their own, where
// the compiler cannot inline half of a pair.

#include <cstddef>

namespace pillar::trace {

/// So far.
[[nodiscard]] std::size_t n_allocations() noexcept;

} // namespace pillar::trace
