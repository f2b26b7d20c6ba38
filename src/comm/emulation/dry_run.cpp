// One process as rank r of P, and alone as `self`: nothing is sent, everything is counted.

#include "launch/machine.hpp"

#include "pillar/comm/communicator.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

#include <cstring>

namespace pillar::comm {

namespace {

class DryRun final : public Communicator {
  public:
    DryRun(int rank, int size, Algorithm algorithm, Wire wire, TimeModel model, void* context)
        : rank_(rank), size_(size), choice_(only(algorithm)), wire_(wire), model_(model),
          context_(context), host_(host_name()) {
        expects(0 <= rank && rank < size, "a rank lies within its communicator");
    }

    [[nodiscard]] int rank() const noexcept override { return rank_; }
    [[nodiscard]] int size() const noexcept override { return size_; }
    [[nodiscard]] std::string_view host(int /*rank*/) const noexcept override { return host_; }

    void choose(const AllreduceChoice& choice) override { choice_ = choice; }

    void allreduce(std::span<float> values) override {
        const Algorithm algorithm = choice_.of(values.size());
        step(CollectiveKind::allreduce, values.size_bytes(),
             allreduce_traffic(algorithm, wire_, rank_, size_, values.size()));
    }

    std::size_t broadcast(std::span<std::byte> buffer, std::size_t n_bytes) override {
        expects(n_bytes <= buffer.size(), "a broadcast message fits its buffer");
        step(CollectiveKind::broadcast, n_bytes, broadcast_traffic(rank_, size_, n_bytes));
        return n_bytes;
    }

    void gather(std::span<const std::byte> message, GatherBuffer& all) override {
        expects(message.size() <= all.capacity(), "a gathered message fits its capacity");
        if (!message.empty()) {
            std::memcpy(all.storage().data(), message.data(), message.size());
        }
        for (int r = 0; r < size_; ++r) all.set(r, 0, message.size());
        step(CollectiveKind::gather, message.size(), gather_traffic(rank_, size_, message.size()));
    }

    std::vector<std::string> all_gather(std::string_view bytes) override {
        std::vector<std::string> all = as_every_rank(bytes);
        const std::size_t n_packed = all.size() * (bytes.size() + gather_header_bytes);
        count_setup(gather_traffic(rank_, size_, bytes.size()));
        count_setup(broadcast_traffic(rank_, size_, n_packed));
        return all;
    }

    std::vector<std::string> gather_to_root(std::string_view bytes) override {
        count_setup(gather_traffic(rank_, size_, bytes.size()));
        return is_root() ? as_every_rank(bytes) : std::vector<std::string>();
    }

    std::string broadcast_from_root(std::string_view bytes) override {
        count_setup(broadcast_traffic(rank_, size_, bytes.size()));
        return std::string(bytes);
    }

    void barrier() override {
        gather_to_root({});
        broadcast_from_root({});
    }

    std::vector<ClockOffset> clock_offsets() override {
        return std::vector<ClockOffset>(is_root() ? static_cast<std::size_t>(size_) : 0);
    }

  private:
    [[nodiscard]] std::vector<std::string> as_every_rank(std::string_view bytes) const {
        return {static_cast<std::size_t>(size_), std::string(bytes)};
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
    AllreduceChoice choice_;
    Wire wire_;
    TimeModel model_;
    void* context_;
    std::string host_;
    double modelled_s_ = 0; ///< what the collectives so far would have taken
};

} // namespace

std::unique_ptr<Communicator> make_dry_run(int rank, int size, Algorithm algorithm, Wire wire,
                                           TimeModel model, void* context) {
    return std::make_unique<DryRun>(rank, size, algorithm, wire, model, context);
}

std::unique_ptr<Communicator> make_self() {
    return make_dry_run(0, 1, Algorithm::recursive_doubling, Wire::f32);
}

} // namespace pillar::comm
