#pragma once
// How a team shares one pass over several matrices that are multiplied with the same activations
// (query, key and value; gate and up): their rows one after another, cut into a contiguous piece a
// thread with about as many bytes each. Decided once, when the model is loaded.

#include "pillar/threads/team.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pillar::forward {

/// One matrix of the pass. A piece may end only where a head's rows can be cut: what follows the
/// product (rotation of pairs, a block of 32 that is quantised) is then one thread's own.
struct PassMatrix {
    std::size_t n_rows = 0;
    std::size_t rows_per_group = 1; ///< of the kernel family: groups are never cut
    std::size_t group_bytes = 0;
    std::size_t head_rows = 1; ///< rows after which the places to cut repeat
    std::size_t unit_rows = 1; ///< within a head it is cut at multiples of these
};

class SharedPass {
  public:
    SharedPass() = default;
    SharedPass(std::span<const PassMatrix> matrices, int n_threads);

    /// Row groups of a matrix that belong to a thread.
    [[nodiscard]] Range groups(std::size_t matrix, int thread) const noexcept {
        const auto t = static_cast<std::size_t>(thread);
        return {borders_[t * n_matrices_ + matrix], borders_[(t + 1) * n_matrices_ + matrix]};
    }
    /// Bytes of all matrices that a thread reads.
    [[nodiscard]] std::uint64_t bytes(int thread) const noexcept {
        return bytes_[static_cast<std::size_t>(thread)];
    }

  private:
    std::size_t n_matrices_ = 0;
    std::vector<std::size_t> borders_; ///< (threads + 1, matrices): first group of each piece
    std::vector<std::uint64_t> bytes_; ///< (threads)
};

} // namespace pillar::forward
