#pragma once
// The all-reduces over point-to-point messages: recursive doubling, direct, reduce-scatter, ring.
// Each keeps plans of persistent messages for the vectors it has met last: a run has few lengths (a
// decode step, a chunk of the prompt, its rest), always at the same place.

#include "mpi/persistent.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/core/aligned_buffer.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace pillar::comm {

class Allreduce {
  public:
    Allreduce(Channel& channel, Wire wire);

    /// Allocate what vectors of up to `n_floats` need.
    void reserve(Algorithm algorithm, std::size_t n_floats);

    /// Collective. Begin to sum with any algorithm but mpi; nobody touches `values` until the end.
    void start(Algorithm algorithm, std::span<float> values);
    /// Let its messages move and do what becomes possible; true when all is done.
    bool advance();
    /// Wait until all is done.
    void finish(Backoff& backoff);

  private:
    struct Plan {
        Plan(Channel& channel, std::size_t n_messages, std::size_t n_phases)
            : messages(channel, n_messages, n_phases) {}
        Algorithm algorithm{};
        std::span<float> values;
        std::uint64_t last_used = 0; ///< 0: never
        PersistentMessages messages;
    };

    Plan& plan_for(Algorithm algorithm, std::span<float> values);
    void plan_recursive_doubling(Plan& plan);
    void plan_direct(Plan& plan);
    void plan_reduce_scatter(Plan& plan);
    void plan_ring(Plan& plan);

    // What is done before the messages of the phase at hand leave, and when all are there.
    void prepare();
    void complete();
    void complete_ring();
    void decode_all() noexcept;
    /// Part of the sum under way, as ring and reduce_scatter cut it.
    [[nodiscard]] std::span<float> part_at(int rank) const noexcept;

    /// values = sum over the ranks of their copies: this rank's is `values` itself with the f32
    /// wire, else it lies encoded in its slot as the others' do.
    void sum_copies(std::span<float> values, std::size_t n_slot) noexcept;

    [[nodiscard]] bool is_exact() const noexcept { return wire_ == Wire::f32; }
    /// Where the copy of `n` floats from `rank` lies, in slots for `n_slot` floats.
    [[nodiscard]] std::span<std::byte> slot(int rank, std::size_t n_slot, std::size_t n) noexcept;
    /// Where part `rank` of a vector lies encoded in two-step, after the slots.
    [[nodiscard]] std::span<std::byte> encoded_part(int rank, std::size_t n_floats) noexcept;

    Channel* channel_;
    Wire wire_;
    int rank_;
    int size_;
    std::vector<Exchange> exchanges_;
    std::vector<int> others_;         ///< from the next rank on, so that not all send to one first
    AlignedBuffer<std::byte> buffer_; ///< what comes in and what goes out encoded
    AlignedBuffer<float> decoded_;    ///< a tile of every rank's copy
    std::vector<float*> leaves_;
    std::vector<std::unique_ptr<Plan>> plans_;
    std::uint64_t n_calls_ = 0;
    Plan* plan_ = nullptr;  ///< of the sum under way
    std::size_t phase_ = 0; ///< of it
};

} // namespace pillar::comm
