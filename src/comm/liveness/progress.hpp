#pragma once
// Where a rank is, as it tells the others, and in words.

#include "pillar/core/timing.hpp"

#include <cstdint>
#include <string>

namespace pillar::comm {

/// What surrounds the waits of a rank: each has a limit of its own.
enum class Stage : std::uint8_t {
    start, ///< ranks meet: nothing is read or computed yet
    setup, ///< before and after the steps, where ranks load, convert and write
    steps,
    end, ///< of the whole job
};

struct Progress {
    std::uint64_t step = 0;               ///< steps begun before
    std::uint32_t n_allreduces = 0;       ///< of this step that it has begun
    std::uint32_t allreduces_a_layer = 2; ///< of this step
    CollectiveKind kind = CollectiveKind::broadcast;
    Stage stage = Stage::setup;
    bool is_step = false; ///< in a step's collective; false: before, between or after steps
    bool is_busy = false; ///< alive without waiting for others: it loads, or waits for a user
    int waits_for = -1;   ///< rank; −1: none, or unknown
};

/// "in layer 3 of step 12", "before step 12", "while the ranks meet".
std::string describe(const Progress& progress);

} // namespace pillar::comm
