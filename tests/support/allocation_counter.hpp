#pragma once
// How often this program's own code asks for memory: linking allocation_counter.cpp replaces
// operator new. What libraries take with malloc is not counted.

#include <cstddef>

namespace pillar::support {

/// Calls of operator new by this process so far.
std::size_t n_allocations() noexcept;

} // namespace pillar::support
