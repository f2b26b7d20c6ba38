#pragma once
// Which build this is. Two ranks must run the same one; comm compares `binary_hash` at start.

#include <cstdint>
#include <string_view>

namespace pillar {

std::string_view version() noexcept;  ///< e.g. "0.1.0"
std::string_view revision() noexcept; ///< git describe --always --dirty, or "unknown"
/// Hash of the running executable's own file; 0 when it cannot be read.
std::uint64_t binary_hash();

} // namespace pillar
