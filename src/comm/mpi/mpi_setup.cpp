// Setup collectives: messages of any length over the same tree, and the ping-pong between clocks.

#include "mpi_communicator.hpp"
#include "packing.hpp"

#include "pillar/core/timing.hpp"

#include <array>
#include <cstring>

namespace pillar::comm {

namespace {

constexpr int n_clock_rounds = 20;

std::span<const std::byte> as_bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<std::string> split_by_rank(std::string_view packed, int n_ranks) {
    std::vector<std::string> all(static_cast<std::size_t>(n_ranks));
    unpack_gather(as_bytes(packed), n_ranks, [&](int rank, std::size_t offset, std::size_t n) {
        all[static_cast<std::size_t>(rank)] = packed.substr(offset, n);
    });
    return all;
}

} // namespace

void MpiCommunicator::count_setup() noexcept {
    count_other(channel_.take_sent());
    if (watchdog_) count_other(watchdog_->take_sent());
}

void MpiCommunicator::count_other(const Traffic& sent) noexcept {
    other_traffic_ += sent;
}

std::string MpiCommunicator::gather_subtree(std::string_view bytes) {
    Backoff waiting = backoff(monotonic_s(), idle_sleep_after_s);
    std::array<std::byte, gather_header_bytes> header{};
    write_gather_header(header, rank(), bytes.size());
    std::string packed(reinterpret_cast<const char*>(header.data()), header.size());
    packed += bytes;
    for (const int child : by_rank_) {
        packed += channel_.receive_any_length(child, Tag::setup_gather, waiting);
    }
    if (!is_root()) {
        channel_.send(tree_.parent, Tag::setup_gather, as_bytes(packed));
        channel_.wait(waiting);
    }
    return packed;
}

std::string MpiCommunicator::broadcast_any_length(std::string bytes) {
    Backoff waiting = backoff(monotonic_s(), idle_sleep_after_s);
    if (!is_root()) {
        bytes = channel_.receive_any_length(tree_.parent, Tag::setup_broadcast, waiting);
    }
    for (const int child : tree_.children) {
        channel_.send(child, Tag::setup_broadcast, as_bytes(bytes));
    }
    channel_.wait(waiting);
    return bytes;
}

std::vector<std::string> MpiCommunicator::all_gather(std::string_view bytes) {
    const std::string packed = broadcast_any_length(gather_subtree(bytes));
    count_setup();
    return split_by_rank(packed, size());
}

std::vector<std::string> MpiCommunicator::gather_to_root(std::string_view bytes) {
    const std::string packed = gather_subtree(bytes);
    count_setup();
    if (!is_root()) return {};
    return split_by_rank(packed, size());
}

std::string MpiCommunicator::broadcast_from_root(std::string_view bytes) {
    std::string received = broadcast_any_length(std::string(bytes));
    count_setup();
    return received;
}

void MpiCommunicator::barrier() {
    gather_to_root({});
    broadcast_from_root({});
}

std::vector<ClockOffset> MpiCommunicator::clock_offsets() {
    std::vector<ClockOffset> offsets;
    if (is_root()) {
        offsets.emplace_back();
        for (int peer = 1; peer < size(); ++peer) offsets.push_back(ask_clock(peer));
    } else {
        answer_clock();
    }
    count_setup();
    return offsets;
}

ClockOffset MpiCommunicator::ask_clock(int peer) {
    ClockOffset best;
    double min_s = 0;
    for (int round = 0; round < n_clock_rounds; ++round) {
        double peer_s = 0;
        const double begin_s = monotonic_s();
        Backoff waiting = backoff(begin_s, idle_sleep_after_s);
        channel_.receive(peer, Tag::clock, std::as_writable_bytes(std::span(&peer_s, 1)));
        channel_.send(peer, Tag::clock, {});
        channel_.wait(waiting);
        const double end_s = monotonic_s();
        // The peer read its clock between begin and end: in the middle, give or take half of the
        // round trip.
        if (round == 0 || end_s - begin_s < min_s) {
            min_s = end_s - begin_s;
            best = {(begin_s + end_s) / 2 - peer_s, min_s / 2};
        }
    }
    return best;
}

void MpiCommunicator::answer_clock() {
    for (int round = 0; round < n_clock_rounds; ++round) {
        Backoff waiting = backoff(monotonic_s(), idle_sleep_after_s);
        channel_.receive(0, Tag::clock, {});
        channel_.wait(waiting);
        const double now_s = monotonic_s();
        channel_.send(0, Tag::clock, std::as_bytes(std::span(&now_s, 1)));
        channel_.wait(waiting);
    }
}

} // namespace pillar::comm
