#include "pillar/comm/gather_buffer.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"

namespace pillar::comm {

GatherBuffer::GatherBuffer(int n_ranks, std::size_t capacity, int rank)
    : capacity_(capacity), storage_(size_bytes(n_ranks, capacity, rank)),
      entries_(static_cast<std::size_t>(n_ranks)) {}

std::size_t GatherBuffer::size_bytes(int n_ranks, std::size_t capacity, int rank) noexcept {
    return static_cast<std::size_t>(subtree_size(rank, n_ranks)) * (capacity + gather_header_bytes);
}

std::span<const std::byte> GatherBuffer::of(int rank) const noexcept {
    const Entry& entry = entries_[static_cast<std::size_t>(rank)];
    return storage().subspan(entry.offset, entry.n_bytes);
}

void GatherBuffer::set(int rank, std::size_t offset, std::size_t n_bytes) noexcept {
    expects(offset + n_bytes <= storage_.size(), "a gathered message lies within its buffer");
    entries_[static_cast<std::size_t>(rank)] = {offset, n_bytes};
}

} // namespace pillar::comm
