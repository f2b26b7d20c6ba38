#pragma once
// The communicator of a real job. Step collectives are in mpi_communicator.cpp, setup collectives
// in mpi_setup.cpp.

#include "channel.hpp"
#include "collectives/allreduce.hpp"
#include "liveness/watchdog.hpp"

#include "pillar/comm/binding.hpp"
#include "pillar/comm/communicator.hpp"
#include "pillar/comm/environment.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/function_ref.hpp"

#include <mpi.h>
#include <optional>

namespace pillar::comm {

class MpiCommunicator final : public Communicator {
  public:
    /// Collective. The algorithm must go with the wire (require_available). `probe` must outlive
    /// it.
    MpiCommunicator(MPI_Comm parent, LivenessProbe& probe, Algorithm algorithm, Wire wire,
                    const std::optional<NetworkModel>& emulated, const WatchLimits& limits);

    [[nodiscard]] int rank() const noexcept override { return channel_.rank(); }
    [[nodiscard]] int size() const noexcept override { return channel_.size(); }
    [[nodiscard]] std::string_view host(int rank) const noexcept override {
        return channel_.host(rank);
    }
    void reserve(std::size_t max_allreduce_floats) override {
        reserve(allreduce_, max_allreduce_floats);
    }
    void reserve_exact(std::size_t max_floats) override { reserve(exact(), max_floats); }
    void choose(const AllreduceChoice& choice) override { choice_ = choice; }

    void allreduce(std::span<float> values) override { sum(allreduce_, values); }
    void exact_allreduce(std::span<float> values) override { sum(exact(), values); }
    void start_allreduce(std::span<float> values) override { start(allreduce_, values); }
    void start_exact_allreduce(std::span<float> values) override { start(exact(), values); }
    void advance_allreduce() noexcept override;
    void finish_allreduce() override;
    std::size_t broadcast(std::span<std::byte> buffer, std::size_t n_bytes) override;
    void gather(std::span<const std::byte> message, GatherBuffer& all) override;

    std::vector<std::string> all_gather(std::string_view bytes) override;
    std::vector<std::string> gather_to_root(std::string_view bytes) override;
    std::string broadcast_from_root(std::string_view bytes) override;
    void barrier() override;
    std::vector<ClockOffset> clock_offsets() override;
    std::vector<double> round_trips(int peer, std::size_t n_bytes, int n_rounds,
                                    bool together) override;

    void set_in_steps(bool in_steps) noexcept override;
    void set_allreduces_a_layer(std::size_t n) noexcept override;
    void heartbeat() noexcept override;

  private:
    /// Collective. Until all ranks have come and know each other's hosts and CPUs.
    std::vector<RankCpus> connect(LivenessProbe& probe);
    /// Time, run and count one step collective; `body` gets when it began and returns the payload's
    /// bytes. A failure of MPI ends the job: there is no way on, and no exception may leave a
    /// thread team.
    void step(CollectiveKind kind, FunctionRef<std::size_t(double begin_s)> body) noexcept;
    /// `body`, outside of the timeline; a failure of MPI ends the job.
    void guarded(FunctionRef<void()> body) noexcept;
    [[nodiscard]] Backoff backoff(double begin_s, double sleep_after_s) noexcept;

    Allreduce& exact() noexcept { return exact_ ? *exact_ : allreduce_; }
    void reserve(Allreduce& with, std::size_t max_floats);
    void sum(Allreduce& with, std::span<float> values);
    void start(Allreduce& with, std::span<float> values);
    void sum_by_mpi(std::span<float> values);

    /// This rank's subtree, packed in rank order.
    std::string gather_subtree(std::string_view bytes);
    std::string broadcast_any_length(std::string bytes);
    void count_setup() noexcept;
    void count_other(const Traffic& sent) noexcept;
    void emulate(const NetworkModel& network, std::span<const RankCpus> ranks);
    ClockOffset ask_clock(int peer);
    void answer_clock();

    Channel channel_;
    AllreduceChoice choice_;
    Allreduce allreduce_;
    std::optional<Allreduce> exact_; ///< where the wire rounds
    Allreduce* moving_ = nullptr;    ///< what the last start was with
    Tree tree_;                      ///< children: the largest subtree first …
    std::vector<int> by_rank_;       ///< … and in rank order
    double advanced_s_ = 0;          ///< when a started all-reduce was looked at last
    bool yields_ = false;            ///< ranks of this machine outnumber its CPUs
    std::optional<Watchdog> watchdog_;
};

} // namespace pillar::comm
