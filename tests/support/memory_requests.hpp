#pragma once
// How often this program's own code asks for memory: operator new is replaced, and calls of malloc
// and its kin from what is linked statically are caught by the linker (--wrap). What shared
// libraries take for themselves is not counted. Link pillar_memory_requests.

#include <cstddef>

namespace pillar::support {

/// Requests for memory by this program so far.
std::size_t n_memory_requests() noexcept;

} // namespace pillar::support
