// Messages and bytes of one collective in closed form: nothing is allocated, so that the
// communicators can count with them between two tokens. The tests hold them against the schedules
// and against what is really sent.

#include "pillar/comm/schedule.hpp"

#include <bit>

namespace pillar::comm {

namespace {

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

/// Reduce-scatter, then all-gather: in each phase a rank sends every part but one.
Traffic ring_traffic(Wire wire, int rank, int size, std::size_t n) noexcept {
    const auto n_others = static_cast<std::size_t>(size - 1);
    std::size_t bytes = 0;
    for (int i = 0; i < size; ++i) {
        const std::size_t part_bytes = wire_bytes(wire, part_of(n, i, size).size());
        const int n_times = 2 - (i == (rank + 1) % size ? 1 : 0) - (i == (rank + 2) % size ? 1 : 0);
        bytes += static_cast<std::size_t>(n_times) * part_bytes;
    }
    return {bytes, 2 * n_others};
}

Traffic reduce_scatter_traffic(Wire wire, int rank, int size, std::size_t n) noexcept {
    const auto n_others = static_cast<std::size_t>(size - 1);
    std::size_t bytes =
        n_others * wire_bytes(wire, part_of(n, rank, size).size()); // the own sum to all
    for (int i = 0; i < size; ++i) {
        if (i != rank) bytes += wire_bytes(wire, part_of(n, i, size).size());
    }
    return {bytes, 2 * n_others};
}

} // namespace

std::size_t wire_bytes(Wire wire, std::size_t n_floats) noexcept {
    switch (wire) {
    case Wire::f32:
        return 4 * n_floats;
    case Wire::f16:
        return 2 * n_floats;
    case Wire::q8:
        break;
    }
    return n_floats + wire_block_head_bytes * ((n_floats + wire_block - 1) / wire_block);
}

Range part_of(std::size_t n, int rank, int size) noexcept {
    const auto i = static_cast<std::size_t>(rank);
    const auto p = static_cast<std::size_t>(size);
    return {i * n / p, (i + 1) * n / p};
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
    case Algorithm::reduce_scatter:
        return reduce_scatter_traffic(wire, rank, size, n_floats);
    }
    return {};
}

std::size_t max_part(std::size_t n, int size) noexcept {
    const auto p = static_cast<std::size_t>(size);
    return (n + p - 1) / p;
}

Chain allreduce_chain(Algorithm algorithm, Wire wire, int size, std::size_t n_floats) noexcept {
    if (size == 1) return {};
    const auto n_others = static_cast<std::size_t>(size - 1);
    const std::size_t vector_bytes = wire_bytes(wire, n_floats);
    const std::size_t part_bytes = wire_bytes(wire, max_part(n_floats, size));
    switch (algorithm) {
    case Algorithm::mpi:
    case Algorithm::recursive_doubling: {
        const int n_doubling = power_of_two_below(size);
        const auto n_swaps =
            static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(n_doubling)));
        const std::size_t n_messages = n_swaps + (n_doubling < size ? 2 : 0);
        return {n_messages, n_messages * vector_bytes};
    }
    case Algorithm::ring:
        return {2 * n_others, 2 * n_others * part_bytes};
    case Algorithm::direct:
        return {1, n_others * vector_bytes};
    case Algorithm::reduce_scatter:
        return {2, 2 * n_others * part_bytes};
    }
    return {};
}

std::size_t message_slot_bytes(Wire wire, std::size_t n_floats) noexcept {
    constexpr std::size_t cache_line = 64;
    return (wire_bytes(wire, n_floats) + cache_line - 1) / cache_line * cache_line;
}

std::size_t allreduce_buffer_bytes(Algorithm algorithm, Wire wire, int size,
                                   std::size_t n_floats) noexcept {
    if (size == 1) return 0;
    const auto p = static_cast<std::size_t>(size);
    const bool is_exact = wire == Wire::f32;
    const std::size_t vector_bytes = message_slot_bytes(wire, n_floats);
    const std::size_t part_bytes = message_slot_bytes(wire, max_part(n_floats, size));
    switch (algorithm) {
    case Algorithm::mpi:
        return 0;
    case Algorithm::recursive_doubling:
        return vector_bytes;
    case Algorithm::ring:
        return part_bytes;
    case Algorithm::direct: // everybody's vector, the own one only if it is encoded
        return (is_exact ? p - 1 : p) * vector_bytes;
    case Algorithm::reduce_scatter: // everybody's copy of the own part, and all parts encoded
        return (is_exact ? p - 1 : 2 * p) * part_bytes;
    }
    return 0;
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
