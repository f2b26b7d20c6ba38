#pragma once
// One process plays rank r of P: nothing is sent, everything is counted as the schedules say.

#include "pillar/comm/binding.hpp"
#include "pillar/comm/communicator.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::support {

/// Seconds that a collective of this kind takes; `bytes` is this rank's payload.
using TimeModel = double (*)(void* context, CollectiveKind kind, std::size_t bytes);

/// allreduce leaves the values, broadcast returns the `n_bytes` it was given, a gather delivers
/// this process's message as every rank's, and setup collectives likewise. Each collective takes
/// what the time model says (nullptr: zero seconds) on this communicator's clock, which runs ahead
/// of monotonic_s() by the sum of these times.
class DryRun final : public comm::Communicator {
  public:
    DryRun(int rank, int size, comm::Algorithm algorithm, comm::Wire wire, TimeModel model,
           void* context)
        : rank_(rank), size_(size), choice_(comm::only(algorithm)), wire_(wire), model_(model),
          context_(context), host_(comm::own_cpus().host) {
        expects(0 <= rank && rank < size, "a rank lies within its communicator");
    }

    [[nodiscard]] int rank() const noexcept override { return rank_; }
    [[nodiscard]] int size() const noexcept override { return size_; }
    [[nodiscard]] std::string_view host(int /*rank*/) const noexcept override { return host_; }

    void choose(const comm::AllreduceChoice& choice) override { choice_ = choice; }

    void allreduce(std::span<float> values) override { sum(wire_, values); }
    void exact_allreduce(std::span<float> values) override { sum(comm::Wire::f32, values); }

    std::size_t broadcast(std::span<std::byte> buffer, std::size_t n_bytes) override {
        expects(n_bytes <= buffer.size(), "a broadcast message fits its buffer");
        step(CollectiveKind::broadcast, n_bytes, comm::broadcast_traffic(rank_, size_, n_bytes));
        return n_bytes;
    }

    void gather(std::span<const std::byte> message, comm::GatherBuffer& all) override {
        expects(message.size() <= all.capacity(), "a gathered message fits its capacity");
        if (!message.empty()) {
            std::memcpy(all.storage().data(), message.data(), message.size());
        }
        for (int r = 0; r < size_; ++r) all.set(r, 0, message.size());
        step(CollectiveKind::gather, message.size(),
             comm::gather_traffic(rank_, size_, message.size()));
    }

    std::vector<std::string> all_gather(std::string_view bytes) override {
        std::vector<std::string> all = as_every_rank(bytes);
        const std::size_t n_packed = all.size() * (bytes.size() + comm::gather_header_bytes);
        count_setup(comm::gather_traffic(rank_, size_, bytes.size()));
        count_setup(comm::broadcast_traffic(rank_, size_, n_packed));
        return all;
    }

    std::vector<std::string> gather_to_root(std::string_view bytes) override {
        count_setup(comm::gather_traffic(rank_, size_, bytes.size()));
        return is_root() ? as_every_rank(bytes) : std::vector<std::string>();
    }

    std::string broadcast_from_root(std::string_view bytes) override {
        count_setup(comm::broadcast_traffic(rank_, size_, bytes.size()));
        return std::string(bytes);
    }

    void barrier() override {
        gather_to_root({});
        broadcast_from_root({});
    }

    std::vector<comm::ClockOffset> clock_offsets() override {
        return std::vector<comm::ClockOffset>(is_root() ? static_cast<std::size_t>(size_) : 0);
    }

  private:
    [[nodiscard]] std::vector<std::string> as_every_rank(std::string_view bytes) const {
        return {static_cast<std::size_t>(size_), std::string(bytes)};
    }

    void sum(comm::Wire wire, std::span<float> values) {
        const comm::Algorithm algorithm = choice_.of(values.size());
        step(CollectiveKind::allreduce, values.size_bytes(),
             comm::allreduce_traffic(algorithm, wire, rank_, size_, values.size()));
    }

    void step(CollectiveKind kind, std::size_t n_bytes, const Traffic& sent) noexcept {
        const double begin_s = monotonic_s() + modelled_s_;
        if (model_ != nullptr) modelled_s_ += model_(context_, kind, n_bytes);
        note_step({begin_s, monotonic_s() + modelled_s_, static_cast<std::uint32_t>(n_bytes), kind},
                  sent);
    }

    void count_setup(const Traffic& sent) noexcept {
        other_traffic_.bytes_sent += sent.bytes_sent;
        other_traffic_.messages_sent += sent.messages_sent;
    }

    int rank_;
    int size_;
    comm::AllreduceChoice choice_;
    comm::Wire wire_;
    TimeModel model_;
    void* context_;
    std::string host_;
    double modelled_s_ = 0; ///< what the collectives so far would have taken
};

inline std::unique_ptr<comm::Communicator> make_dry_run(int rank, int size,
                                                        comm::Algorithm algorithm, comm::Wire wire,
                                                        TimeModel model = nullptr,
                                                        void* context = nullptr) {
    return std::make_unique<DryRun>(rank, size, algorithm, wire, model, context);
}

/// One rank, nothing is sent.
inline std::unique_ptr<comm::Communicator> make_self() {
    return make_dry_run(0, 1, comm::Algorithm::recursive_doubling, comm::Wire::f32);
}

} // namespace pillar::support
