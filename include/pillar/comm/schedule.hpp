#pragma once
// Who sends what to whom: the collectives' schedules as pure arithmetic, used by the communicators
// themselves and by perf's cost model, so that predicted and counted messages cannot
// drift apart. Sources: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication
// Operations in MPICH" (2005).

#include "pillar/comm/algorithms.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/core/timing.hpp"

#include <vector>

namespace pillar::comm {

/// One step of recursive doubling as one rank sees it.
struct Exchange {
    enum class Kind : std::uint8_t {
        fold_send,      ///< beyond the power of two: give the vector away …
        fold_receive,   ///< … and its partner adds it
        swap,           ///< both send, both add
        result_send,    ///< the sum goes back …
        result_receive, ///< … to the folded rank
    };
    Kind kind;
    int partner;
};

/// Largest power of two ≤ n. n ≥ 1.
int power_of_two_below(int n) noexcept;

/// The exchanges of `rank` in order. Ranks ≥ 2^k fold into rank − 2^k first and get the result
/// last.
std::vector<Exchange> recursive_doubling(int rank, int size);

/// Binomial tree rooted at 0.
struct Tree {
    int parent = -1;           ///< −1 at the root
    std::vector<int> children; ///< largest subtree first: the order of sending in a broadcast
};
Tree binomial_tree(int rank, int size);

/// Ranks of the subtree under `rank`, itself included: they are [rank, rank + subtree_size).
int subtree_size(int rank, int size) noexcept;

/// Bytes before each rank's message in a gather: its rank and its length, 32 bits each.
inline constexpr std::size_t gather_header_bytes = 8;

/// q8 comes in blocks of so many values; the last may be short. Before each block stand its scale
/// and its largest value.
inline constexpr std::size_t wire_block = 32;
inline constexpr std::size_t wire_block_head_bytes = 6;

/// Bytes that `n_floats` take on the wire.
std::size_t wire_bytes(Wire wire, std::size_t n_floats) noexcept;

/// The part of a vector of `n` that belongs to rank `rank` of `size` in ring and reduce_scatter:
/// [⌊rank·n/size⌋, ⌊(rank+1)·n/size⌋).
Range part_of(std::size_t n, int rank, int size) noexcept;
std::size_t max_part(std::size_t n, int size) noexcept;

/// What `rank` sends in one collective. Nothing is allocated: communicators count with these too.
/// `mpi` is counted as recursive doubling: what the library really sends is not known.
/// ring: parts go round twice, as partial and as whole sums, empty ones too; direct: the whole
/// vector to every other rank; reduce_scatter: part i goes to rank i, which sends the sum to all.
Traffic allreduce_traffic(Algorithm algorithm, Wire wire, int rank, int size,
                          std::size_t n_floats) noexcept;

/// What the time of an all-reduce is made of: messages one after the other, and bytes through the
/// busiest direction of the busiest cable. Time ≈ α · n_messages + G · n_bytes.
struct Chain {
    std::size_t n_messages = 0;
    std::size_t n_bytes = 0;
};
Chain allreduce_chain(Algorithm algorithm, Wire wire, int size, std::size_t n_floats) noexcept;

/// Memory that a rank needs beside the vector itself for all-reduces of up to `n_floats`.
std::size_t allreduce_buffer_bytes(Algorithm algorithm, Wire wire, int size,
                                   std::size_t n_floats) noexcept;
/// Of these, what one message of `n_floats` takes: whole cache lines.
std::size_t message_slot_bytes(Wire wire, std::size_t n_floats) noexcept;
/// Every rank forwards the `n_bytes` to its children.
Traffic broadcast_traffic(int rank, int size, std::size_t n_bytes) noexcept;
/// `n_bytes` = message of every rank (equal lengths); packing headers included.
Traffic gather_traffic(int rank, int size, std::size_t n_bytes) noexcept;

} // namespace pillar::comm
