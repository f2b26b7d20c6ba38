#pragma once
// Where a step's gather leaves the ranks' messages.

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::comm {

/// On rank 0 the messages of all; allocated once with room for `capacity` bytes a rank. Another
/// rank's has room for what it passes on: the messages of its subtree.
class GatherBuffer {
  public:
    GatherBuffer(int n_ranks, std::size_t capacity, int rank = 0);
    /// What the buffer of `rank` allocates.
    static std::size_t size_bytes(int n_ranks, std::size_t capacity, int rank) noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    /// Rank 0 only: the message of `rank` in the last gather.
    [[nodiscard]] std::span<const std::byte> of(int rank) const noexcept;

    // For the communicators: packed messages of a subtree, and where each rank's message lies
    // there.
    [[nodiscard]] std::span<std::byte> storage() noexcept { return storage_; }
    [[nodiscard]] std::span<const std::byte> storage() const noexcept { return storage_; }
    void set(int rank, std::size_t offset, std::size_t n_bytes) noexcept;

  private:
    struct Entry {
        std::size_t offset = 0;
        std::size_t n_bytes = 0;
    };
    std::size_t capacity_;
    std::vector<std::byte> storage_;
    std::vector<Entry> entries_;
};

} // namespace pillar::comm
