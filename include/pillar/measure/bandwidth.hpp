#pragma once
// How fast this machine's memory can be read by a team of threads: the limit of decoding, which
// streams every weight once a token.

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/threads/team.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pillar::measure {

/// More than any last-level cache holds.
inline constexpr std::size_t bandwidth_bytes = std::size_t{256} << 20;

class ReadBandwidth {
  public:
    /// A buffer on huge pages where the system gives them; each thread of `team` writes the part
    /// that it will read. Throws Error(refused).
    explicit ReadBandwidth(threads::Team& team, std::size_t n_bytes = bandwidth_bytes);

    /// Bytes a second that all threads of `team` read together, each its own contiguous part: the
    /// better of a plain loop and one that prefetches, each the median of `n_passes`.
    double measure(threads::Team& team, int n_passes = 3);

    /// All bytes once, by the plain loop.
    void read(threads::Team& team);

  private:
    template <bool prefetching>
    double pass(threads::Team& team);

    AlignedBuffer<std::byte> data_;
    std::atomic<std::uint64_t> sink_{0}; ///< what was read is used
};

} // namespace pillar::measure
