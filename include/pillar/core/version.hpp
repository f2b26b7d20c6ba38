#pragma once
// Which build this is. All ranks must run the same one.

#include <cstdint>
#include <string>
#include <string_view>

namespace pillar {

std::string_view version() noexcept;  ///< e.g. "0.1.0"
std::string_view revision() noexcept; ///< git describe --always --dirty, or "unknown"
/// Hash of the running executable's own file; 0 when it cannot be read.
std::uint64_t binary_hash();
/// What ranks compare: "0.1.0 4964cfe build 06f1…", the hash last.
std::string build_text();

} // namespace pillar
