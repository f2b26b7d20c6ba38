// Messages and bytes of one collective in closed form: nothing is allocated, so that the
// communicators can count with them between two tokens. The tests hold them against the schedules
// and against what is really sent.

#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"

#include <bit>

namespace pillar::comm {

namespace {

/// Floats in segment `index` of `n` cut into `size`.
std::size_t segment(std::size_t n, int index, int size) noexcept {
    const auto i = static_cast<std::size_t>(index % size);
    const auto p = static_cast<std::size_t>(size);
    return (i + 1) * n / p - i * n / p;
}

Traffic doubling_traffic(int rank, int size, std::size_t vector_bytes) noexcept {
    const int n_doubling = power_of_two_below(size);
    std::size_t n_messages = 1; // fold_send
    if (rank < n_doubling) {
        const bool has_folded = rank + n_doubling < size;
        n_messages = static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(n_doubling))) +
                     (has_folded ? 1 : 0);
    }
    return {n_messages * vector_bytes, n_messages};
}

/// Reduce-scatter, then all-gather: in each phase a rank sends every segment but one.
Traffic ring_traffic(Wire wire, int rank, int size, std::size_t n) noexcept {
    const auto n_others = static_cast<std::size_t>(size - 1);
    std::size_t bytes = 0;
    for (int i = 0; i < size; ++i) {
        const std::size_t segment_bytes = wire_bytes(wire, segment(n, i, size));
        const int n_times = 2 - (i == (rank + 1) % size ? 1 : 0) - (i == (rank + 2) % size ? 1 : 0);
        bytes += static_cast<std::size_t>(n_times) * segment_bytes;
    }
    return {bytes, 2 * n_others};
}

Traffic two_step_traffic(Wire wire, int rank, int size, std::size_t n) noexcept {
    const auto n_others = static_cast<std::size_t>(size - 1);
    std::size_t bytes = n_others * wire_bytes(wire, segment(n, rank, size)); // the own sum to all
    for (int i = 0; i < size; ++i) {
        if (i != rank) bytes += wire_bytes(wire, segment(n, i, size));
    }
    return {bytes, 2 * n_others};
}

} // namespace

std::size_t wire_bytes(Wire wire, std::size_t n_floats) noexcept {
    expects(wire != Wire::q8, "the size of a q8 message is asked of its codec");
    return n_floats * (wire == Wire::f16 ? 2 : 4);
}

Traffic allreduce_traffic(Algorithm algorithm, Wire wire, int rank, int size,
                          std::size_t n_floats) noexcept {
    if (size == 1) return {};
    switch (algorithm) {
    case Algorithm::mpi:
    case Algorithm::recursive_doubling:
        return doubling_traffic(rank, size, wire_bytes(wire, n_floats));
    case Algorithm::ring:
        return ring_traffic(wire, rank, size, n_floats);
    case Algorithm::direct: {
        const auto n_others = static_cast<std::size_t>(size - 1);
        return {n_others * wire_bytes(wire, n_floats), n_others};
    }
    case Algorithm::two_step:
        return two_step_traffic(wire, rank, size, n_floats);
    }
    return {};
}

Traffic broadcast_traffic(int rank, int size, std::size_t n_bytes) noexcept {
    std::uint64_t n_children = 0;
    for (int step = 1; rank + step < size && (rank & step) == 0; step *= 2) ++n_children;
    return {n_children * n_bytes, n_children};
}

Traffic gather_traffic(int rank, int size, std::size_t n_bytes) noexcept {
    if (rank == 0) return {};
    const auto n_ranks = static_cast<std::uint64_t>(subtree_size(rank, size));
    return {n_ranks * (gather_header_bytes + n_bytes), 1};
}

} // namespace pillar::comm
