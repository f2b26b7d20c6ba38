#include "pillar/perf/network_model.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::perf {

namespace {

using comm::Algorithm;

/// The first packet of a message, stored in the switch.
double stored_s(const NetworkProfile& network, double n_bytes) noexcept {
    return std::min(n_bytes, packet_bytes) * network.store_and_forward_s_per_byte;
}

/// `n_steps` times: `n_together` messages at once in both directions, and as many come; in all
/// `n_bytes` of this rank, in messages of about `largest`.
MessageTime rounds(const NetworkProfile& network, double n_steps, double n_together, double n_bytes,
                   double largest) noexcept {
    MessageTime time;
    time.latency_s = n_steps * (network.latency_s + (n_together - 1) * network.message_overhead_s);
    const double s_per_byte =
        largest > max_eager_bytes ? network.s_per_byte_long : network.s_per_byte_both_ways;
    time.bandwidth_s = n_bytes * s_per_byte + n_steps * stored_s(network, largest);
    return time;
}

double reduction_s_per_value(const ReductionProfile& reduction, comm::Wire wire) noexcept {
    switch (wire) {
    case comm::Wire::f16:
        return reduction.f16_s;
    case comm::Wire::q8:
        return reduction.q8_s;
    default:
        return reduction.f32_s;
    }
}

/// Copies of the vector that a rank adds to its own, one after the other.
double copies_added(Algorithm algorithm, int n_ranks) {
    switch (algorithm) {
    case Algorithm::direct:
        return n_ranks - 1;
    case Algorithm::reduce_scatter: // P − 1 copies of a part, then the parts of the others
    case Algorithm::ring:
        return 1;
    default: {
        const auto exchanges = comm::recursive_doubling(0, n_ranks);
        return static_cast<double>(std::ranges::count_if(exchanges, [](const auto& exchange) {
            return exchange.kind == comm::Exchange::Kind::swap ||
                   exchange.kind == comm::Exchange::Kind::fold_receive;
        }));
    }
    }
}

/// Rank 0 takes part in all steps, also in those that fold ranks beyond a power of two.
MessageTime doubling_time(const NetworkProfile& network, comm::Wire wire, int n_ranks,
                          std::size_t n_floats) {
    MessageTime time;
    const std::size_t n_bytes = comm::wire_bytes(wire, n_floats);
    for (const comm::Exchange& exchange : comm::recursive_doubling(0, n_ranks)) {
        if (exchange.kind == comm::Exchange::Kind::swap) {
            const auto n = static_cast<double>(n_bytes);
            time += rounds(network, 1, 1, n, n);
        } else {
            time += message_time(network, n_bytes);
        }
    }
    return time;
}

Traffic max_traffic(Algorithm algorithm, comm::Wire wire, int n_ranks, std::size_t n_floats) {
    Traffic most;
    for (int rank = 0; rank < n_ranks; ++rank) {
        const Traffic sent = comm::allreduce_traffic(algorithm, wire, rank, n_ranks, n_floats);
        most.bytes_sent = std::max(most.bytes_sent, sent.bytes_sent);
        most.messages_sent = std::max(most.messages_sent, sent.messages_sent);
    }
    return most;
}

} // namespace

MessageTime message_time(const NetworkProfile& network, std::size_t n_bytes) noexcept {
    const auto n = static_cast<double>(n_bytes);
    return {network.latency_s, n * network.s_per_byte + stored_s(network, n), 0};
}

namespace {

MessageTime exchange_time(const NetworkProfile& network, Algorithm algorithm, comm::Wire wire,
                          int n_ranks, std::size_t n_floats) {
    if (algorithm == Algorithm::mpi || algorithm == Algorithm::recursive_doubling)
        return doubling_time(network, wire, n_ranks, n_floats);
    const Traffic sent = max_traffic(algorithm, wire, n_ranks, n_floats);
    const auto n_bytes = static_cast<double>(sent.bytes_sent);
    const auto n_messages = static_cast<double>(sent.messages_sent);
    const double average = n_bytes / n_messages;
    switch (algorithm) {
    case Algorithm::direct:
        return rounds(network, 1, n_messages, n_bytes, average);
    case Algorithm::reduce_scatter:
        return rounds(network, 2, n_messages / 2, n_bytes, average);
    default:
        return rounds(network, n_messages, 1, n_bytes, average);
    }
}

} // namespace

MessageTime allreduce_time(const NetworkProfile& network, Algorithm algorithm, comm::Wire wire,
                           int n_ranks, std::size_t n_floats) {
    expects(n_ranks >= 1, "a job has a rank");
    if (n_ranks == 1) return {};
    MessageTime time = exchange_time(network, algorithm, wire, n_ranks, n_floats);
    time.reduction_s = copies_added(algorithm, n_ranks) * static_cast<double>(n_floats) *
                       reduction_s_per_value(network.reduction, wire);
    return time;
}

Algorithm fastest_allreduce(const NetworkProfile& network, comm::Wire wire, int n_ranks,
                            std::size_t n_floats) {
    Algorithm best = Algorithm::direct;
    double best_s = allreduce_time(network, best, wire, n_ranks, n_floats).total();
    const auto consider = [&](Algorithm algorithm) {
        const double time_s = allreduce_time(network, algorithm, wire, n_ranks, n_floats).total();
        if (time_s < best_s) best = algorithm, best_s = time_s;
    };
    consider(Algorithm::reduce_scatter);
    if (wire == comm::Wire::f32) consider(Algorithm::recursive_doubling);
    return best;
}

MessageTime broadcast_time(const NetworkProfile& network, int n_ranks, std::size_t n_bytes) {
    // The largest subtree gets its message first and is the last to have passed it on.
    MessageTime time;
    for (int rank = 0; !comm::binomial_tree(rank, n_ranks).children.empty();
         rank = comm::binomial_tree(rank, n_ranks).children.front())
        time += message_time(network, n_bytes);
    return time;
}

MessageTime gather_time(const NetworkProfile& network, int n_ranks, std::size_t n_bytes) {
    // Along the largest subtrees, with the messages of all ranks below.
    MessageTime time;
    for (int rank = 0; !comm::binomial_tree(rank, n_ranks).children.empty();) {
        rank = comm::binomial_tree(rank, n_ranks).children.front();
        time += message_time(network, comm::gather_traffic(rank, n_ranks, n_bytes).bytes_sent);
    }
    return time;
}

MessageTime star_time(const NetworkProfile& network, int n_ranks, std::size_t n_bytes) noexcept {
    if (n_ranks <= 1) return {};
    const auto n_others = static_cast<double>(n_ranks - 1);
    const auto n = static_cast<double>(n_bytes);
    return {network.latency_s + (n_others - 1) * network.message_overhead_s,
            n_others * n * network.s_per_byte + stored_s(network, n), 0};
}

} // namespace pillar::perf
