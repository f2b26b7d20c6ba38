#pragma once
// How often this program's own code asks for memory: operator new is replaced, and calls of malloc
// and its kin from what is linked statically are caught by the linker (--wrap). What shared
// libraries take for themselves is not counted. Link pillar_memory_requests.

#include <cstddef>
#include <cstdint>

namespace pillar::support {

/// Requests for memory by this program so far.
std::size_t n_memory_requests() noexcept;
/// Bytes of them, whether or not they were given back since.
std::uint64_t n_requested_bytes() noexcept;

} // namespace pillar::support
