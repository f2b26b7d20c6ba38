#pragma once
// How loading went on all ranks: bytes, seconds, where they came from, and which node held up the
// others.

#include "pillar/comm/communicator.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pillar::session {

/// One rank's loading, until it was done itself.
struct LoadFacts {
    double seconds = 0;
    std::uint64_t bytes = 0; ///< of the model that it asked for
    /// That the kernel fetched from storage or a network file system for it; nothing where the
    /// kernel does not tell, or nothing was read (a synthetic model).
    std::optional<std::uint64_t> bytes_from_device;
};

/// Bytes that the kernel has fetched from storage for this process so far.
std::optional<std::uint64_t> bytes_from_device();

/// Collective. Of all ranks, in rank order.
std::vector<LoadFacts> gather_load(comm::Communicator& comm, const LoadFacts& own);

/// "773 MB on 2 ranks in 0.41 s (1.89 GB/s); all from the page cache"
std::string load_line(std::span<const LoadFacts> ranks);

/// A rank that took more than 1.5 times the median of the others and more than 2 s longer: a
/// sentence with its host, seconds and rate. Of several the slowest; empty: none did.
std::string slow_load_line(std::span<const LoadFacts> ranks, std::span<const std::string> hosts);

} // namespace pillar::session
