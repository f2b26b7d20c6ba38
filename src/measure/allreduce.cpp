// Timing calls one after the other.

#include "pillar/measure/allreduce.hpp"

#include "of_ranks.hpp"

#include "pillar/comm/exchange.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/aligned_buffer.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace pillar::measure {

namespace {

using comm::Algorithm;
using comm::Communicator;
using comm::Wire;

/// When to stop timing, and how many calls to time together: these grow slowly, since one call says
/// little about the next where ranks share cores.
struct Pace {
    double budget_s;
    std::size_t max_rounds;
    std::size_t max_calls; ///< of a round

    /// Calls in the next round, 0: enough.
    [[nodiscard]] std::size_t next(std::size_t n_calls, std::size_t n_rounds, double call_s,
                                   double elapsed_s) const noexcept {
        if (n_rounds >= max_rounds || elapsed_s >= budget_s) return 0;
        const double affordable =
            budget_s / static_cast<double>(max_rounds) / std::max(call_s, 1e-7);
        const auto most = static_cast<double>(std::min(max_calls, 4 * n_calls));
        return static_cast<std::size_t>(std::clamp(affordable, 1.0, most));
    }
};

} // namespace

AllreduceTime time_allreduce(Communicator& comm, Algorithm algorithm, Wire wire,
                             std::size_t n_floats, double budget_s) {
    constexpr std::size_t min_rounds = 3;
    const Pace pace{budget_s, 20, 1000};
    AlignedBuffer<float> values(n_floats);
    comm.choose(comm::only(algorithm));
    comm.reserve(n_floats);
    comm.allreduce(values.span()); // first touch, connections

    std::vector<double> rounds_s;
    std::size_t n_all = 0;
    const Stopwatch watch;
    for (std::size_t n_calls = 1; n_calls > 0;) {
        comm.allreduce(values.span()); // together again after rank 0's word
        const Stopwatch round;
        for (std::size_t i = 0; i < n_calls; ++i) comm.allreduce(values.span());
        rounds_s.push_back(round.elapsed_s() / static_cast<double>(n_calls));
        n_all += n_calls;
        std::size_t n_next =
            pace.next(n_calls, rounds_s.size(), rounds_s.back(), watch.elapsed_s());
        if (rounds_s.size() < min_rounds) n_next = std::max(n_next, std::size_t{1});
        n_calls = comm::broadcast_from_root(comm, n_next);
    }
    rounds_s = max_of_ranks(comm, rounds_s);
    const auto [least, most] = std::ranges::minmax(rounds_s);
    const double sum_s = std::accumulate(rounds_s.begin(), rounds_s.end(), 0.0);
    return {.algorithm = algorithm,
            .wire = wire,
            .n_floats = n_floats,
            .n_calls = n_all,
            .min_s = least,
            .median_s = median(rounds_s),
            .mean_s = sum_s / static_cast<double>(rounds_s.size()),
            .max_s = most};
}

namespace {

struct Coefficients {
    double a = 0; ///< of α, relative to the time
    double g = 0; ///< of G
};

double residual_of(std::span<const Coefficients> rows, const NetworkFit& fit) {
    double squares = 0;
    for (const Coefficients& row : rows) {
        const double error = row.a * fit.latency_s + row.g * fit.s_per_byte - 1;
        squares += error * error;
    }
    return std::sqrt(squares / static_cast<double>(rows.size()));
}

} // namespace

NetworkFit fit_network(std::span<const AllreduceTime> times, int size) {
    // Each row divided by its time: a α + g G ≈ 1.
    std::vector<Coefficients> rows;
    double aa = 0, ag = 0, gg = 0, a1 = 0, g1 = 0;
    for (const AllreduceTime& time : times) {
        const comm::Chain chain =
            comm::allreduce_chain(time.algorithm, time.wire, size, time.n_floats);
        const Coefficients row{static_cast<double>(chain.n_messages) / time.median_s,
                               static_cast<double>(chain.n_bytes) / time.median_s};
        rows.push_back(row);
        aa += row.a * row.a;
        ag += row.a * row.g;
        gg += row.g * row.g;
        a1 += row.a;
        g1 += row.g;
    }
    const double determinant = aa * gg - ag * ag;
    expects(size >= 2, "one rank sends nothing");
    if (!(determinant > 1e-9 * aa * gg)) { // one length, or lengths that send the same
        constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
        return {unknown, unknown, unknown};
    }
    NetworkFit fit{(a1 * gg - g1 * ag) / determinant, (g1 * aa - a1 * ag) / determinant, 0};
    if (fit.latency_s < 0) fit = {0, g1 / gg, 0};
    if (fit.s_per_byte < 0) fit = {a1 / aa, 0, 0};
    fit.residual = residual_of(rows, fit);
    return fit;
}

std::vector<Algorithm> candidates(Wire wire, int size, std::size_t n_floats) {
    constexpr std::size_t max_direct = std::size_t{1} << 18;
    std::vector<Algorithm> all = comm::tree_algorithms(wire);
    if (size > 2 && n_floats > max_direct) std::erase(all, Algorithm::direct);
    return all;
}

Algorithm fastest(std::span<const AllreduceTuning::Trial> trials) noexcept {
    constexpr double tolerance = 1.05;
    double min_s = trials.front().time_s;
    for (const auto& trial : trials) min_s = std::min(min_s, trial.time_s);
    for (const auto& trial : trials) {
        if (trial.time_s <= tolerance * min_s) return trial.algorithm;
    }
    return trials.front().algorithm;
}

namespace {

/// Longer vectors are limited by the bandwidth alone: this length tells as much, sooner.
constexpr std::size_t max_measured = std::size_t{1} << 18;
constexpr Pace pace{0.15, 9, 16}; ///< for one length

/// Collective. Seconds a call, this rank, of each algorithm in turn.
void run_round(Communicator& comm, std::span<const Algorithm> algorithms, std::span<float> values,
               std::size_t n_calls, std::span<double> times_s) {
    for (std::size_t a = 0; a < algorithms.size(); ++a) {
        comm.choose(comm::only(algorithms[a]));
        comm.allreduce(values); // together again, and its messages prepared
        const Stopwatch watch;
        for (std::size_t i = 0; i < n_calls; ++i) comm.allreduce(values);
        times_s[a] = watch.elapsed_s() / static_cast<double>(n_calls);
    }
}

/// Collective.
std::vector<AllreduceTuning::Trial> compare(Communicator& comm, Wire wire, std::size_t n_floats) {
    const std::vector<Algorithm> algorithms = candidates(wire, comm.size(), n_floats);
    AlignedBuffer<float> buffer(std::min(n_floats, max_measured));
    const std::span<float> values = buffer.span();
    for (const Algorithm algorithm : algorithms) {
        comm.choose(comm::only(algorithm));
        comm.reserve(values.size());
    }
    std::vector<double> times_s(algorithms.size());
    run_round(comm, algorithms, values, 1, times_s); // first touch, connections
    std::vector<std::vector<double>> rounds_s(algorithms.size());
    const Stopwatch watch;
    for (std::size_t n_calls = 1, round = 0; n_calls > 0; ++round) {
        const Stopwatch round_watch;
        run_round(comm, algorithms, values, n_calls, times_s);
        for (std::size_t a = 0; a < algorithms.size(); ++a) rounds_s[a].push_back(times_s[a]);
        const double call_s = round_watch.elapsed_s() / static_cast<double>(n_calls + 1); // of each
        n_calls = comm::broadcast_from_root(
            comm, pace.next(n_calls, round + 1, call_s, watch.elapsed_s()));
    }
    for (std::size_t a = 0; a < algorithms.size(); ++a) times_s[a] = median(rounds_s[a]);
    std::vector<AllreduceTuning::Trial> trials;
    for (const Algorithm algorithm : algorithms) trials.push_back({algorithm, 0});
    const std::vector<double> slowest_s = max_of_ranks(comm, times_s);
    for (std::size_t a = 0; a < trials.size(); ++a) trials[a].time_s = slowest_s[a];
    return trials;
}

} // namespace

AllreduceTuning tune_allreduce(Communicator& comm, Wire wire, std::size_t decode_floats,
                               std::size_t prompt_floats) {
    AllreduceTuning tuning;
    const Stopwatch watch;
    if (comm.size() == 1) {
        tuning.choice = comm::only(comm::tree_algorithms(wire).front());
        comm.choose(tuning.choice);
        return tuning;
    }
    tuning.shorter = compare(comm, wire, decode_floats);
    tuning.choice = comm::only(fastest(tuning.shorter));
    if (prompt_floats > decode_floats) {
        tuning.longer = compare(comm, wire, prompt_floats);
        tuning.longer_floats = std::min(prompt_floats, max_measured);
        tuning.choice.longer = fastest(tuning.longer);
        tuning.choice.max_shorter = static_cast<std::size_t>(
            std::sqrt(static_cast<double>(decode_floats) * static_cast<double>(prompt_floats)));
    }
    comm.choose(tuning.choice);
    tuning.elapsed_s = watch.elapsed_s();
    return tuning;
}

} // namespace pillar::measure
