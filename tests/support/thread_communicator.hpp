#pragma once
// Ranks as threads of one process: the setup collectives over shared memory, with clocks that are
// off by planted amounts. Step collectives are not offered.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/errors.hpp"

#include <barrier>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pillar::support {

/// What the threads share.
struct Meeting {
    explicit Meeting(int n_ranks)
        : size(n_ranks), door(n_ranks), slots(static_cast<std::size_t>(n_ranks)),
          offsets(static_cast<std::size_t>(n_ranks)) {}

    int size;
    std::barrier<> door;
    std::vector<std::string> slots;
    std::vector<comm::Communicator::ClockOffset> offsets;
};

class ThreadCommunicator : public comm::Communicator {
  public:
    ThreadCommunicator(Meeting& meeting, int rank)
        : meeting_(&meeting), rank_(rank), host_("host" + std::to_string(rank)) {}

    [[nodiscard]] int rank() const noexcept override { return rank_; }
    [[nodiscard]] int size() const noexcept override { return meeting_->size; }
    [[nodiscard]] std::string_view host(int /*rank*/) const noexcept override { return host_; }

    void allreduce(std::span<float> /*values*/) override { expects(false, "not offered"); }
    std::size_t broadcast(std::span<std::byte> /*buffer*/, std::size_t n_bytes) override {
        expects(false, "not offered");
        return n_bytes;
    }
    void gather(std::span<const std::byte> /*message*/, comm::GatherBuffer& /*all*/) override {
        expects(false, "not offered");
    }

    std::vector<std::string> all_gather(std::string_view bytes) override {
        count(bytes.size());
        meeting_->slots[static_cast<std::size_t>(rank_)] = bytes;
        meeting_->door.arrive_and_wait();
        std::vector<std::string> all = meeting_->slots;
        meeting_->door.arrive_and_wait();
        return all;
    }
    std::vector<std::string> gather_to_root(std::string_view bytes) override {
        auto all = all_gather(bytes);
        return is_root() ? all : std::vector<std::string>();
    }
    std::string broadcast_from_root(std::string_view bytes) override {
        return all_gather(bytes)[0];
    }
    void barrier() override { meeting_->door.arrive_and_wait(); }
    std::vector<ClockOffset> clock_offsets() override {
        barrier();
        return is_root() ? meeting_->offsets : std::vector<ClockOffset>();
    }

  private:
    /// Everybody but the root sends once.
    void count(std::size_t n_bytes) noexcept {
        if (is_root()) return;
        other_traffic_.bytes_sent += n_bytes;
        ++other_traffic_.messages_sent;
    }

    Meeting* meeting_;
    int rank_;
    std::string host_;
};

/// Run `body(communicator)` on every rank.
template <class Body>
void on_ranks(Meeting& meeting, Body&& body) {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < meeting.size; ++rank) {
        threads.emplace_back([&meeting, &body, rank] {
            ThreadCommunicator comm(meeting, rank);
            body(comm);
        });
    }
}

} // namespace pillar::support
