#pragma once
// How ranks talk. Environment makes the communicators of a job; mpi.h stays inside src/comm.
//
// Two sorts of calls. Step collectives (allreduce, broadcast, gather) are on the hot path: they
// allocate nothing, poll while they wait, and are timed and counted into the step's timeline. They
// throw nothing, so that a thread team may call them: when MPI fails there, the sentence is printed
// and the job ends (abort_job). Setup collectives may allocate and throw Error(peer_lost or
// internal); their traffic is counted apart. exchange.hpp has those over values instead of bytes.

#include "pillar/comm/algorithms.hpp"
#include "pillar/comm/clock_offset.hpp"
#include "pillar/comm/gather_buffer.hpp"
#include "pillar/core/timing.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::comm {

class Communicator {
  public:
    virtual ~Communicator() = default;

    [[nodiscard]] virtual int rank() const noexcept = 0;
    [[nodiscard]] virtual int size() const noexcept = 0;
    [[nodiscard]] bool is_root() const noexcept { return rank() == 0; }
    /// Host name of a rank (known on every rank).
    [[nodiscard]] virtual std::string_view host(int rank) const noexcept = 0;

    // --- step collectives: timed, counted, no allocation ---

    /// Sum with these algorithms from now on; the same on all ranks, and they go with the wire
    /// (require_available).
    virtual void choose(const AllreduceChoice& choice);
    /// After choose(), before the first step: allocate what all-reduces of up to
    /// `max_allreduce_floats` need. Without it the first call of a new largest length allocates.
    virtual void reserve(std::size_t max_allreduce_floats);
    /// The same for exact_allreduce().
    virtual void reserve_exact(std::size_t max_floats);

    /// Collective. Element-wise sum over the ranks, in place, the same bits on every rank (all
    /// algorithms but mpi and ring: in the balanced tree of the ranks). `values.size()` is the same
    /// on all ranks. Best called with the same memory again: messages to and from it are prepared
    /// once.
    virtual void allreduce(std::span<float> values) = 0;
    /// Collective. The same in f32 whatever the wire is: of few values that must not be rounded.
    virtual void exact_allreduce(std::span<float> values);

    /// Collective. The same in the background: between start_allreduce() and finish_allreduce(),
    /// which returns with the sum in `values`, this rank may compute, and nobody touches `values`.
    /// Messages move while the main thread calls advance_allreduce(), about every tenth of a
    /// millisecond. One at a time, and no other collective meanwhile. The timeline has the waiting
    /// in finish_allreduce() alone: the rest costs no time.
    virtual void start_allreduce(std::span<float> values);
    virtual void start_exact_allreduce(std::span<float> values);
    virtual void advance_allreduce() noexcept;
    virtual void finish_allreduce();

    /// Collective. Rank 0's first `n_bytes` of `buffer` reach every rank; the others pass a buffer
    /// of the same size (the capacity) and get the length back. Binomial tree, one message a child,
    /// of the real length.
    virtual std::size_t broadcast(std::span<std::byte> buffer, std::size_t n_bytes) = 0;
    /// Collective. Every rank's `message` (≤ all.capacity() bytes, the same capacity everywhere)
    /// reaches rank 0. Binomial tree, one message to the parent, of the real length.
    virtual void gather(std::span<const std::byte> message, GatherBuffer& all) = 0;

    // --- setup collectives: may allocate, counted apart ---

    /// Collective. Everybody gets every rank's bytes, in rank order.
    virtual std::vector<std::string> all_gather(std::string_view bytes) = 0;
    /// Collective. Rank 0 gets every rank's bytes in rank order; the others get nothing.
    virtual std::vector<std::string> gather_to_root(std::string_view bytes) = 0;
    /// Collective. Everybody gets rank 0's bytes.
    virtual std::string broadcast_from_root(std::string_view bytes) = 0;
    /// Collective. Nobody leaves before everybody has come.
    virtual void barrier() = 0;
    /// Collective. On rank 0: one entry a rank; elsewhere empty.
    virtual std::vector<ClockOffset> clock_offsets() = 0;
    /// This rank and `peer` alone, which must both call it: seconds of each of `n_rounds` round
    /// trips of `n_bytes`, the lower rank first; with `together`, of exchanges in which both send
    /// at once. The lower rank's times are those of the network, the other's include waiting. What
    /// has no peers does not offer it.
    virtual std::vector<double> round_trips(int peer, std::size_t n_bytes, int n_rounds,
                                            bool together);

    // --- liveness: a rank that stays silent while another one waits for it ends the job ---

    /// Whether WatchLimits::step_s holds for the waits that follow, or setup_s (the default).
    virtual void set_in_steps(bool in_steps) noexcept;
    /// How many all-reduces a layer of the step at hand has: so that a sentence can name the layer.
    virtual void set_allreduces_a_layer(std::size_t n) noexcept;
    /// This rank is alive although it waits for no other one: it loads, or waits for a user. To be
    /// called about once a second then, by the main thread; a rank that does is not taken for
    /// silent, however long it takes.
    virtual void heartbeat() noexcept;

    // --- counters ---

    /// The timeline that step collectives write to; nullptr: they are not recorded. Not owned; its
    /// owner reserves room for all collectives of a step and clears it between steps.
    void record_into(StepTimeline* timeline) noexcept { timeline_ = timeline; }
    /// All step traffic of this rank so far.
    [[nodiscard]] const Traffic& step_traffic() const noexcept { return step_traffic_; }
    /// Everything else: setup, traces, clocks, questions who is alive, the stamps of an emulated
    /// network.
    [[nodiscard]] const Traffic& other_traffic() const noexcept { return other_traffic_; }

  protected:
    /// Enter a finished step collective into the counters and the timeline.
    void note_step(const CollectiveTiming& timing, const Traffic& sent) noexcept;

    std::span<float> started_;      ///< what start_allreduce() was given
    bool is_started_exact_ = false; ///< or start_exact_allreduce()
    StepTimeline* timeline_ = nullptr;
    Traffic step_traffic_;
    Traffic other_traffic_;
};

} // namespace pillar::comm
