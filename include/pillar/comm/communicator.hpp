#pragma once
// How ranks talk. One interface, three kinds: `mpi` (a duplicate of the world), `self` (one rank,
// nothing is sent) and `dry_run` (one process plays rank r of P: it counts what would be sent and
// asks a time model how long it takes). mpi.h stays inside src/comm.
//
// Two sorts of calls. Step collectives (broadcast, allreduce, gather) are on the hot path: they
// allocate nothing, poll while they wait, and are timed and counted into the step's timeline. They
// throw nothing, so that a thread team may call them: when MPI fails there, the sentence is printed
// and the job ends (abort_job). Setup collectives may allocate and throw Error(peer_lost or
// internal); their traffic is counted apart.

#include "pillar/core/timing.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::comm {

enum class Algorithm : std::uint8_t { mpi, recursive_doubling, ring, direct, reduce_scatter };
enum class Wire : std::uint8_t { f32, f16, q8 };
/// As --allreduce and --wire take them: "recursive-doubling", "f32".
std::string_view name_of(Algorithm algorithm) noexcept;
std::string_view name_of(Wire wire) noexcept;
/// And back; nothing for other names, "auto" too.
std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;
std::optional<Wire> wire_named(std::string_view name) noexcept;
/// Throws UsageError, naming what there is, unless the two go together: f16 and q8 are summed by
/// direct and reduce_scatter alone. Needs no MPI.
void require_available(Algorithm algorithm, Wire wire);
/// Of the algorithms that add in the balanced tree of the ranks, those that go with `wire`.
std::vector<Algorithm> tree_algorithms(Wire wire);

/// Which algorithm sums vectors of which length.
struct AllreduceChoice {
    Algorithm shorter = Algorithm::recursive_doubling; ///< up to `max_shorter` floats
    Algorithm longer = Algorithm::recursive_doubling;  ///< beyond
    std::size_t max_shorter = 0;
    [[nodiscard]] Algorithm of(std::size_t n_floats) const noexcept {
        return n_floats <= max_shorter ? shorter : longer;
    }
};
/// One for all lengths.
constexpr AllreduceChoice only(Algorithm algorithm) noexcept {
    return {algorithm, algorithm, 0};
}

/// Where gather leaves the ranks' messages on rank 0; allocated once with room for `capacity` bytes
/// a rank. Another rank's has room for what it passes on: the messages of its subtree.
class GatherBuffer {
  public:
    GatherBuffer(int n_ranks, std::size_t capacity, int rank = 0);
    /// What the buffer of `rank` allocates.
    static std::size_t size_bytes(int n_ranks, std::size_t capacity, int rank) noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    /// Rank 0 only: the message of `rank` in the last gather.
    [[nodiscard]] std::span<const std::byte> of(int rank) const noexcept;

    // For the communicators: packed messages of a subtree, and where each rank's message lies
    // there.
    [[nodiscard]] std::span<std::byte> storage() noexcept { return storage_; }
    [[nodiscard]] std::span<const std::byte> storage() const noexcept { return storage_; }
    void set(int rank, std::size_t offset, std::size_t n_bytes) noexcept;

  private:
    struct Entry {
        std::size_t offset = 0;
        std::size_t n_bytes = 0;
    };
    std::size_t capacity_;
    std::vector<std::byte> storage_;
    std::vector<Entry> entries_;
};

/// How long a rank may wait for another one before it asks who is alive.
struct WatchLimits {
    /// Within the step loop; 0: 20 times the median step, at least 30 s; negative: for ever, in
    /// setup too.
    double step_s = 0;
    double setup_s = 600; ///< before and after it, where ranks load, convert and write
    /// Until all ranks have met, which takes none of them long; `step_s` where that is given, but
    /// at least 5 s.
    double start_s = 60;
};

class Communicator {
  public:
    virtual ~Communicator() = default;

    [[nodiscard]] virtual int rank() const noexcept = 0;
    [[nodiscard]] virtual int size() const noexcept = 0;
    [[nodiscard]] bool is_root() const noexcept { return rank() == 0; }
    /// Host name of a rank (known on every rank).
    [[nodiscard]] virtual std::string_view host(int rank) const noexcept = 0;

    /// Allocate what all-reduces of up to `max_allreduce_floats` need, before the first step.
    /// Without it the first call of a new largest length allocates.
    virtual void reserve(std::size_t max_allreduce_floats);

    /// Sum with these algorithms from now on; the same on all ranks. They must go with the wire
    /// (require_available). Call reserve() after it.
    virtual void choose(const AllreduceChoice& choice);

    // --- step collectives: timed, counted, no allocation ---

    /// Collective. Element-wise sum over the ranks, in place, the same bits on every rank (all
    /// algorithms but mpi and ring: in the balanced tree of the ranks). `values.size()` is the same
    /// on all ranks. Best called with the same memory again: messages to and from it are prepared
    /// once.
    virtual void allreduce(std::span<float> values) = 0;

    /// Collective. The same in the background: between start_allreduce() and finish_allreduce(),
    /// which returns with the sum in `values`, this rank may compute, and nobody touches `values`.
    /// Messages move while the main thread calls advance_allreduce(), about every tenth of a
    /// millisecond. One at a time, and no other collective meanwhile. The timeline has the waiting
    /// in finish_allreduce() alone: the rest costs no time.
    virtual void start_allreduce(std::span<float> values);
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

    /// Collective. What to add to a rank's monotonic_s() to get rank 0's, and how far that may be
    /// off (half of the shortest round trip seen). On rank 0: one entry a rank; elsewhere empty.
    struct ClockOffset {
        double offset_s = 0;
        double uncertainty_s = 0;
    };
    virtual std::vector<ClockOffset> clock_offsets() = 0;

    /// This rank and `peer` alone, which must both call it: seconds of each of `n_rounds` round
    /// trips of `n_bytes`, the lower rank first; with `together`, of exchanges in which both send
    /// at once. The lower rank's times are those of the network, the other's include waiting. May
    /// allocate; counted apart. What has no peers does not offer it.
    virtual std::vector<double> round_trips(int peer, std::size_t n_bytes, int n_rounds,
                                            bool together);

    // --- waiting ---
    //
    // A rank that stays silent for too long while another one waits ends the job (peer_lost), with
    // a sentence that names it and its host. Nothing is sent for that unless a wait passes its
    // limit.

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

    std::span<float> started_; ///< what start_allreduce() was given
    StepTimeline* timeline_ = nullptr;
    Traffic step_traffic_;
    Traffic other_traffic_;
};

/// One rank, nothing is sent.
std::unique_ptr<Communicator> make_self();

/// Seconds that a collective of this kind takes; `bytes` is this rank's payload.
using TimeModel = double (*)(void* context, CollectiveKind kind, std::size_t bytes);

/// One process plays `rank` of `size`. allreduce leaves the values, broadcast returns the `n_bytes`
/// it was given, a gather delivers this process's message as every rank's, and setup collectives
/// likewise; bytes and messages are counted as the schedules say. Each collective takes what
/// `model` says (nullptr: zero seconds) on this communicator's clock, which runs ahead of
/// monotonic_s() by the sum of these times.
std::unique_ptr<Communicator> make_dry_run(int rank, int size, Algorithm algorithm, Wire wire,
                                           TimeModel model = nullptr, void* context = nullptr);

} // namespace pillar::comm
