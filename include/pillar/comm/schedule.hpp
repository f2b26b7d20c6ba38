#pragma once
// Who sends what to whom: the collectives' schedules as pure arithmetic, used by the communicators
// themselves, by dry_run and by perf's cost model, so that predicted and counted messages cannot
// drift apart. Sources: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication
// Operations in MPICH" (2005).

#include "pillar/comm/communicator.hpp"

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

/// Bytes that `n_floats` take on the wire. The layout of q8 belongs to its codec: not known here.
std::size_t wire_bytes(Wire wire, std::size_t n_floats) noexcept;

/// What `rank` sends in one collective. Nothing is allocated: communicators count with these too.
/// `mpi` is counted as recursive doubling: what the library really sends is not known.
/// ring: segment i of P is [⌊i·n/P⌋, ⌊(i+1)·n/P⌋), empty ones are sent too; direct: the whole
/// vector to every other rank; two_step: segment i goes to rank i, which sends the sum to all.
Traffic allreduce_traffic(Algorithm algorithm, Wire wire, int rank, int size,
                          std::size_t n_floats) noexcept;
/// Every rank forwards the `n_bytes` to its children.
Traffic broadcast_traffic(int rank, int size, std::size_t n_bytes) noexcept;
/// `n_bytes` = message of every rank (equal lengths); packing headers included.
Traffic gather_traffic(int rank, int size, std::size_t n_bytes) noexcept;

} // namespace pillar::comm
