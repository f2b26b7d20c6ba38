#include "pillar/measure/network.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/measure/median.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace pillar::measure {

namespace {

constexpr std::size_t n_unknowns = 3;
constexpr double packet_bytes = 1538; ///< of Ethernet, with all headers
constexpr std::size_t most_meshed = 16;

using Row = std::array<double, n_unknowns>;

/// Least squares of rows · x ≈ 1 over the unknowns in `used` by the normal equations and Gauss's
/// elimination; the others are 0.
Row solve(std::span<const Row> rows, const std::array<bool, n_unknowns>& used) {
    double m[n_unknowns][n_unknowns + 1] = {};
    for (std::size_t i = 0; i < n_unknowns; ++i) {
        if (!used[i]) {
            m[i][i] = 1;
            continue;
        }
        for (const Row& row : rows) {
            for (std::size_t j = 0; j < n_unknowns; ++j)
                if (used[j]) m[i][j] += row[i] * row[j];
            m[i][n_unknowns] += row[i];
        }
    }
    for (std::size_t i = 0; i < n_unknowns; ++i) // positive definite: the diagonal will do
        for (std::size_t k = 0; k < n_unknowns; ++k) {
            if (k == i || m[k][i] == 0) continue;
            const double factor = m[k][i] / m[i][i];
            for (std::size_t j = i; j <= n_unknowns; ++j) m[k][j] -= factor * m[i][j];
        }
    Row x{};
    for (std::size_t i = 0; i < n_unknowns; ++i) x[i] = m[i][n_unknowns] / m[i][i];
    return x;
}

} // namespace

LinkFit fit_link(std::span<const OneWayTime> times) {
    expects(times.size() >= n_unknowns, "a fit of three unknowns has three lengths or more");
    std::vector<Row> rows; // α, G, S; each divided by its time
    for (const OneWayTime& time : times) {
        const auto n = static_cast<double>(time.n_bytes);
        rows.push_back({1 / time.time_s, n / time.time_s, std::min(n, packet_bytes) / time.time_s});
    }
    std::array<bool, n_unknowns> used = {true, true, true};
    Row x = solve(rows, used);
    // What comes out negative is not there; storing in a switch goes first.
    for (const std::size_t i : {2u, 1u, 0u}) {
        if (x[i] >= 0) continue;
        used[i] = false;
        x = solve(rows, used);
    }
    LinkFit fit{x[0], x[1], x[2], 0};
    double squares = 0;
    for (const Row& row : rows) {
        const double error = row[0] * x[0] + row[1] * x[1] + row[2] * x[2] - 1;
        squares += error * error;
    }
    fit.residual = std::sqrt(squares / static_cast<double>(rows.size()));
    return fit;
}

LinkTimes measure_link(comm::Communicator& comm, int peer) {
    struct Length {
        std::size_t n_bytes;
        int n_rounds;
    };
    constexpr Length lengths[] = {{16, 200},   {512, 60},   {1500, 60}, {4096, 40},
                                  {16384, 20}, {65536, 10}, {262144, 5}};
    constexpr Length together = {262144, 5};
    constexpr std::size_t n_warm_up = 3; // rounds that comm adds
    LinkTimes link;
    const bool is_first = comm.rank() < peer;
    std::vector<OneWayTime> times;
    for (const Length& length : lengths) {
        std::vector<double> rounds = comm.round_trips(peer, length.n_bytes, length.n_rounds, false);
        link.n_payload_bytes +=
            length.n_bytes * (static_cast<std::size_t>(length.n_rounds) + n_warm_up);
        if (!is_first) continue;
        for (double& round : rounds) round /= 2;
        const double middle = median(rounds);
        const double mean =
            std::accumulate(rounds.begin(), rounds.end(), 0.0) / static_cast<double>(rounds.size());
        if (times.empty()) link.jitter_s = std::max(mean - middle, 0.0);
        times.push_back({length.n_bytes, middle});
    }
    const std::vector<double> both =
        comm.round_trips(peer, together.n_bytes, together.n_rounds, true);
    link.n_payload_bytes +=
        together.n_bytes * (static_cast<std::size_t>(together.n_rounds) + n_warm_up);
    if (!is_first) return link;
    link.fit = fit_link(times);
    const double rest_s =
        median(both) - link.fit.latency_s - packet_bytes * link.fit.stored_s_per_byte;
    link.s_per_byte_both_ways =
        std::max(rest_s / static_cast<double>(together.n_bytes), link.fit.s_per_byte);
    return link;
}

void for_each_pair(comm::Communicator& comm, std::span<const Pair> pairs,
                   FunctionRef<void(const Pair&)> body) {
    for (const Pair& pair : pairs) {
        comm.barrier();
        if (comm.rank() == pair.a || comm.rank() == pair.b) body(pair);
    }
    comm.barrier();
}

std::vector<Pair> pairs_of(std::span<const int> ranks) {
    std::vector<Pair> pairs;
    const std::size_t n = ranks.size();
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j)
            if (n <= most_meshed || i == 0 || j == i + 1)
                pairs.push_back({std::min(ranks[i], ranks[j]), std::max(ranks[i], ranks[j])});
    return pairs;
}

} // namespace pillar::measure
