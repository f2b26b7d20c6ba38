#pragma once
// How long an all-reduce takes here: the choice that --allreduce auto makes, and the table of
// `pillar bench --allreduce` with the network's latency and bandwidth fitted to it.

#include "pillar/comm/communicator.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::measure {

/// One algorithm at one length. Calls follow each other without a barrier, as in a step; they are
/// timed in up to 20 rounds, since a rank that comes late to one call finds its messages there
/// already. Times are of a call, the mean of a round on its slowest rank.
struct AllreduceTime {
    comm::Algorithm algorithm{};
    comm::Wire wire{};
    std::size_t n_floats = 0;
    std::size_t n_calls = 0;
    double min_s = 0;
    double median_s = 0;
    double mean_s = 0;
    double max_s = 0;
};

/// Collective. Time `algorithm` on `comm`, whose wire is `wire`, for about `budget_s` (at least
/// three calls after a first one that is not counted). The result is the same on all ranks;
/// afterwards `comm` sums with this algorithm.
AllreduceTime time_allreduce(comm::Communicator& comm, comm::Algorithm algorithm, comm::Wire wire,
                             std::size_t n_floats, double budget_s);

/// Latency and bandwidth of a network as one algorithm sees it.
struct NetworkFit {
    double latency_s = 0;  ///< α, a message
    double s_per_byte = 0; ///< G
    double residual = 0;   ///< root mean square of (time − fit) / time
};

/// Least squares of relative errors over times of one algorithm, wire and `size` ≥ 2 ranks at two
/// lengths or more: median_s = α · messages + G · bytes of comm::allreduce_chain, neither negative.
/// NaN where the lengths send alike: one length, or a ring's of less than a float a rank.
NetworkFit fit_network(std::span<const AllreduceTime> times, int size);

/// What --allreduce auto found.
struct AllreduceTuning {
    struct Trial {
        comm::Algorithm algorithm{};
        double time_s = 0; ///< a call on the slowest rank, median over rounds
    };
    comm::AllreduceChoice choice;
    std::vector<Trial> shorter;    ///< at the length of a decode step
    std::vector<Trial> longer;     ///< at the length of a prompt's chunk; empty: the same length
    std::size_t longer_floats = 0; ///< measured there: beyond 1 MiB a longer vector tells no more
    double elapsed_s = 0;
};

/// Collective. Measure the algorithms that add in the ranks' tree at the two lengths that a run
/// will use and choose one for each; in between, the border is the geometric mean. Takes less than
/// a second, a few milliseconds where ranks share a machine. The result is the same on all ranks.
/// `comm` is left with the choice.
AllreduceTuning tune_allreduce(comm::Communicator& comm, comm::Wire wire, std::size_t decode_floats,
                               std::size_t prompt_floats);

/// The algorithms that auto considers for vectors of `n_floats`: not direct between more than two
/// ranks beyond 1 MiB, where it needs the most memory and cannot win.
std::vector<comm::Algorithm> candidates(comm::Wire wire, int size, std::size_t n_floats);

/// The rule of the choice: the fastest, but an earlier one that is within 5 % of it.
comm::Algorithm fastest(std::span<const AllreduceTuning::Trial> trials) noexcept;

} // namespace pillar::measure
