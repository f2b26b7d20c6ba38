#include "pillar/measure/network.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace pillar::measure {

namespace {

constexpr double packet_bytes = 1538; ///< of Ethernet, with all headers
constexpr std::size_t max_meshed = 16;
/// Whatever else the machines do only makes a message late: the fastest rounds are the link's own,
/// all but the very first tell them.
constexpr double fast_share = 0.1;

bool is_long(const OneWayTime& time) {
    return static_cast<double>(time.n_bytes) > packet_bytes;
}

/// Theil and Sen's: the median of the slopes between all two long messages, which one length that
/// was delayed does not move.
double slope_of_long(std::span<const OneWayTime> times) {
    std::vector<double> slopes;
    for (const OneWayTime& a : times)
        for (const OneWayTime& b : times)
            if (is_long(a) && a.n_bytes < b.n_bytes)
                slopes.push_back((b.time_s - a.time_s) /
                                 static_cast<double>(b.n_bytes - a.n_bytes));
    expects(!slopes.empty(), "a fit has two lengths or more that are longer than a packet");
    return std::max(median(std::move(slopes)), 0.0);
}

} // namespace

LinkFit fit_link(std::span<const OneWayTime> times) {
    LinkFit fit;
    fit.s_per_byte = slope_of_long(times);
    // α + S · min(n, packet) ≈ time − G · n; each divided by its time.
    double aa = 0, ab = 0, bb = 0, ac = 0, bc = 0;
    for (const OneWayTime& time : times) {
        const auto n = static_cast<double>(time.n_bytes);
        const double a = 1 / time.time_s;
        const double b = std::min(n, packet_bytes) / time.time_s;
        const double c = 1 - fit.s_per_byte * n / time.time_s;
        aa += a * a, ab += a * b, bb += b * b, ac += a * c, bc += b * c;
    }
    const double determinant = aa * bb - ab * ab;
    fit.latency_s = (ac * bb - bc * ab) / determinant;
    fit.stored_s_per_byte = (aa * bc - ab * ac) / determinant;
    // What comes out negative is not there; storing in a switch goes first.
    if (!(fit.stored_s_per_byte >= 0)) fit = {ac / aa, fit.s_per_byte, 0, 0};
    if (!(fit.latency_s >= 0)) fit = {0, fit.s_per_byte, std::max(bc / bb, 0.0), 0};
    double squares = 0;
    for (const OneWayTime& time : times) {
        const auto n = static_cast<double>(time.n_bytes);
        const double fitted_s =
            fit.latency_s + fit.s_per_byte * n + fit.stored_s_per_byte * std::min(n, packet_bytes);
        const double error = fitted_s / time.time_s - 1;
        squares += error * error;
    }
    fit.residual = std::sqrt(squares / static_cast<double>(times.size()));
    return fit;
}

Stalls stalls_of(std::span<const double> rounds_s) {
    Stalls stalls;
    for (const double round_s : rounds_s) {
        ++stalls.n_rounds;
        if (round_s >= stall_s) ++stalls.n_stalls;
        stalls.longest_s = std::max(stalls.longest_s, round_s);
    }
    return stalls;
}

LinkTimes measure_link(comm::Communicator& comm, int peer) {
    struct Length {
        std::size_t n_bytes;
        int n_rounds;
    };
    constexpr Length lengths[] = {{16, 70},   {512, 20},  {1500, 20}, {4096, 14},
                                  {16384, 8}, {32768, 6}, {65536, 5}, {262144, 4}};
    constexpr std::size_t n_lengths = std::size(lengths);
    constexpr Length together = {16384, 8};
    constexpr Length long_together = {std::size_t{1} << 20, 3};
    constexpr int n_sweeps = 3;          // a delay that lasts meets all lengths, not one alone
    constexpr std::size_t n_warm_up = 3; // rounds that comm adds
    LinkTimes link;
    const bool is_first = comm.rank() < peer;
    std::array<std::vector<double>, n_lengths> rounds;
    std::vector<double> both, long_both;
    const auto exchange = [&](const Length& length, bool is_both, std::vector<double>& times) {
        for (const double round_s :
             comm.round_trips(peer, length.n_bytes, length.n_rounds, is_both))
            times.push_back(is_both ? round_s : round_s / 2);
        link.n_payload_bytes +=
            length.n_bytes * (static_cast<std::size_t>(length.n_rounds) + n_warm_up);
    };
    for (int sweep = 0; sweep < n_sweeps; ++sweep) {
        for (std::size_t i = 0; i < n_lengths; ++i) exchange(lengths[i], false, rounds[i]);
        exchange(together, true, both);
        exchange(long_together, true, long_both);
    }
    if (!is_first) return link;
    std::vector<double> short_rounds;
    for (const std::size_t i : {0, 1})
        for (const double one_way_s : rounds[i]) short_rounds.push_back(2 * one_way_s);
    link.stalls = stalls_of(short_rounds);
    std::vector<OneWayTime> times;
    for (std::size_t i = 0; i < n_lengths; ++i)
        times.push_back({lengths[i].n_bytes, quantile(rounds[i], fast_share)});
    link.fit = fit_link(times);
    const auto per_byte = [&](double time_s, std::size_t n_bytes) {
        const double rest_s =
            time_s - link.fit.latency_s - packet_bytes * link.fit.stored_s_per_byte;
        return std::max(rest_s / static_cast<double>(n_bytes), link.fit.s_per_byte);
    };
    link.s_per_byte_both_ways = per_byte(quantile(both, fast_share), together.n_bytes);
    link.s_per_byte_long = per_byte(median(std::move(long_both)), long_together.n_bytes);
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
            if (n <= max_meshed || i == 0 || j == i + 1)
                pairs.push_back({std::min(ranks[i], ranks[j]), std::max(ranks[i], ranks[j])});
    return pairs;
}

} // namespace pillar::measure
