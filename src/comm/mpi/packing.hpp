#pragma once
// A gather's messages on their way: [u32 rank][u32 length][bytes] for each rank of a subtree, in
// rank order.

#include "pillar/comm/schedule.hpp"
#include "pillar/core/function_ref.hpp"

#include <cstddef>
#include <span>

namespace pillar::comm {

/// Write the header before a message of `n_bytes`. `destination` has gather_header_bytes.
void write_gather_header(std::span<std::byte> destination, int rank, std::size_t n_bytes) noexcept;

/// Call `visit(rank, offset, n_bytes)` for each message packed in `bytes`; offsets count from its
/// begin. Throws Error(internal) when the lengths do not add up: ranks of two builds, or a fault
/// here.
void unpack_gather(std::span<const std::byte> bytes, int n_ranks,
                   FunctionRef<void(int rank, std::size_t offset, std::size_t n_bytes)> visit);

} // namespace pillar::comm
