#pragma once
// How much of a file the system holds in memory already, so that reading it asks no device.

#include <cstdint>
#include <optional>
#include <string>

namespace pillar::telemetry {

struct CachedFile {
    std::uint64_t n_bytes = 0;      ///< of the file
    std::uint64_t cached_bytes = 0; ///< of whole pages, at most n_bytes
};

/// By mincore. Nothing where the file cannot be looked at; of a file that this user may not write
/// to, Linux says that all of it is cached (mincore(2)), so nothing is told then either.
std::optional<CachedFile> read_cached(const std::string& path);

} // namespace pillar::telemetry
