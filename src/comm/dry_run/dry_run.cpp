#include "pillar/comm/dry_run.hpp"

#include "pillar/comm/binding.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::comm {

namespace {

class DryRun final : public Communicator {
  public:
    DryRun(int played, int size, const AllreduceChoice& choice, Wire wire)
        : played_(played), size_(size), choice_(choice), wire_(wire), host_(own_cpus().host) {
        expects(0 <= played && played < size, "a rank lies within its communicator");
    }

    [[nodiscard]] int rank() const noexcept override { return 0; }
    [[nodiscard]] int size() const noexcept override { return size_; }
    [[nodiscard]] std::string_view host(int /*rank*/) const noexcept override { return host_; }

    void choose(const AllreduceChoice& choice) override { choice_ = choice; }

    void allreduce(std::span<float> values) override { count_sum(wire_, values); }
    void exact_allreduce(std::span<float> values) override { count_sum(Wire::f32, values); }

    std::size_t broadcast(std::span<std::byte> buffer, std::size_t n_bytes) override {
        expects(n_bytes <= buffer.size(), "a broadcast message fits its buffer");
        count(CollectiveKind::broadcast, n_bytes, broadcast_traffic(played_, size_, n_bytes));
        return n_bytes;
    }

    void gather(std::span<const std::byte> message, GatherBuffer& all) override {
        expects(message.size() <= all.capacity(), "a gathered message fits its capacity");
        if (!message.empty()) std::memcpy(all.storage().data(), message.data(), message.size());
        for (int rank = 0; rank < size_; ++rank) all.set(rank, 0, message.size());
        count(CollectiveKind::gather, message.size(),
              gather_traffic(played_, size_, message.size()));
    }

    std::vector<std::string> all_gather(std::string_view bytes) override {
        return {static_cast<std::size_t>(size_), std::string(bytes)};
    }
    std::vector<std::string> gather_to_root(std::string_view bytes) override {
        return all_gather(bytes);
    }
    std::string broadcast_from_root(std::string_view bytes) override { return std::string(bytes); }
    void barrier() override {}
    std::vector<ClockOffset> clock_offsets() override {
        return std::vector<ClockOffset>(static_cast<std::size_t>(size_));
    }

  private:
    void count_sum(Wire wire, std::span<float> values) noexcept {
        count(CollectiveKind::allreduce, values.size_bytes(),
              allreduce_traffic(choice_.of(values.size()), wire, played_, size_, values.size()));
    }
    void count(CollectiveKind kind, std::size_t n_bytes, const Traffic& sent) noexcept {
        const double now_s = monotonic_s();
        note_step({now_s, now_s, static_cast<std::uint32_t>(n_bytes), kind}, sent);
    }

    int played_;
    int size_;
    AllreduceChoice choice_;
    Wire wire_;
    std::string host_;
};

} // namespace

std::unique_ptr<Communicator> make_dry_run(int played, int size, const AllreduceChoice& choice,
                                           Wire wire) {
    require_available(choice.shorter, wire);
    require_available(choice.longer, wire);
    return std::make_unique<DryRun>(played, size, choice, wire);
}

} // namespace pillar::comm
