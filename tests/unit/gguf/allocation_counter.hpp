#pragma once
// Counts what operator new hands out in this test program: how much memory a file makes its reader
// ask for.

#include <cstdint>

namespace pillar::support {

/// Bytes asked for so far by this thread, freed ones included.
std::uint64_t allocated_bytes();

} // namespace pillar::support
