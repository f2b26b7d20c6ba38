#pragma once
// A rank's records since the last gather, in memory reserved once.

#include "journal/records.hpp"

#include "pillar/engine/step.hpp"

#include <cstddef>
#include <string>

namespace pillar::recording {

class Ring {
  public:
    static constexpr std::size_t n_steps_capacity = 128;

    Ring(std::size_t collectives_per_step, std::size_t n_threads);

    /// Keep a step; without room it is counted as lost. No allocation.
    void push(const engine::StepRecord& record) noexcept;
    /// A token of the next step that is pushed was chosen in so many seconds.
    void add_sampling(double seconds) noexcept { sample_s_ += seconds; }
    /// Keep what the sensors told; without room it is forgotten. No allocation.
    void push(const SensorSample& sample) noexcept;
    /// Tracing took this long after the last step. False when there is no step to charge.
    bool charge(double seconds) noexcept;
    void clear() noexcept;

    [[nodiscard]] std::size_t n_steps() const noexcept { return steps_.heads.size(); }
    /// From the first step's begin to the last one's end.
    [[nodiscard]] double age_s() const noexcept;
    /// Less room than two steps like the largest so far need.
    [[nodiscard]] bool is_nearly_full() const noexcept;
    [[nodiscard]] std::uint64_t last_step() const noexcept { return last_step_; }

    /// As `rank` sends it.
    [[nodiscard]] std::string encode(std::uint32_t rank, const Cost& previous);

  private:
    RankSteps steps_;
    static constexpr std::size_t n_sensors_capacity = 512;

    double sample_s_ = 0;
    std::size_t n_collectives_capacity_;
    std::size_t n_threads_capacity_;
    std::size_t max_step_ = 0; ///< collectives
    std::uint64_t last_step_ = before_first_step;
};

} // namespace pillar::recording
