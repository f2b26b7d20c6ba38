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
struct ThreadWorld {
    explicit ThreadWorld(int n_ranks)
        : size(n_ranks), door(n_ranks), slots(static_cast<std::size_t>(n_ranks)),
          offsets(static_cast<std::size_t>(n_ranks)) {}

    int size;
    std::barrier<> door;
    std::vector<std::string> slots;
    std::vector<comm::ClockOffset> offsets;
};

class ThreadCommunicator : public comm::Communicator {
  public:
    ThreadCommunicator(ThreadWorld& world, int rank)
        : world_(&world), rank_(rank), host_("host" + std::to_string(rank)) {}

    [[nodiscard]] int rank() const noexcept override { return rank_; }
    [[nodiscard]] int size() const noexcept override { return world_->size; }
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
        world_->slots[static_cast<std::size_t>(rank_)] = bytes;
        world_->door.arrive_and_wait();
        std::vector<std::string> all = world_->slots;
        world_->door.arrive_and_wait();
        return all;
    }
    std::vector<std::string> gather_to_root(std::string_view bytes) override {
        auto all = all_gather(bytes);
        return is_root() ? all : std::vector<std::string>();
    }
    std::string broadcast_from_root(std::string_view bytes) override {
        return all_gather(bytes)[0];
    }
    void barrier() override { world_->door.arrive_and_wait(); }
    std::vector<comm::ClockOffset> clock_offsets() override {
        barrier();
        return is_root() ? world_->offsets : std::vector<comm::ClockOffset>();
    }

  private:
    /// Everybody but the root sends once.
    void count(std::size_t n_bytes) noexcept {
        if (is_root()) return;
        other_traffic_.bytes_sent += n_bytes;
        ++other_traffic_.messages_sent;
    }

    ThreadWorld* world_;
    int rank_;
    std::string host_;
};

/// Run `body(communicator)` on every rank.
template <class Body>
void on_ranks(ThreadWorld& world, Body&& body) {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < world.size; ++rank) {
        threads.emplace_back([&world, &body, rank] {
            ThreadCommunicator comm(world, rank);
            body(comm);
        });
    }
}

} // namespace pillar::support
