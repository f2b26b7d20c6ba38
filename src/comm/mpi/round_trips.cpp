// Two ranks alone: ping and pong, or both at once.

#include "mpi_communicator.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

namespace pillar::comm {

namespace {

/// The first rounds open the connection and fill caches.
constexpr int n_warm_up = 3;

} // namespace

std::vector<double> MpiCommunicator::round_trips(int peer, std::size_t n_bytes, int n_rounds,
                                                 bool together) {
    expects(peer >= 0 && peer < size() && peer != rank(), "a round trip is to another rank");
    const std::vector<std::byte> sent(n_bytes);
    std::vector<std::byte> received(n_bytes);
    std::vector<double> times_s;
    const bool answers = !together && rank() > peer;
    const int n_all = n_warm_up + n_rounds;
    double begin_s = monotonic_s();
    if (answers) {
        Backoff waiting = backoff(begin_s, idle_sleep_after_s);
        channel_.receive(peer, Tag::clock, received);
        channel_.wait(waiting);
    }
    for (int round = 0; round < n_all; ++round) {
        begin_s = monotonic_s();
        Backoff waiting = backoff(begin_s, step_sleep_after_s);
        // who answers has its message already, and waits for the next one while it answers
        if (!answers || round + 1 < n_all) channel_.receive(peer, Tag::clock, received);
        channel_.send(peer, Tag::clock, sent);
        channel_.wait(waiting);
        if (round >= n_warm_up) times_s.push_back(monotonic_s() - begin_s);
    }
    count_setup();
    return times_s;
}

} // namespace pillar::comm
