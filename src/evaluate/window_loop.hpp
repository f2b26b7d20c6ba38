#pragma once
// Windows of a text one after another, by all ranks together.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/engine/scoring.hpp"

#include <cstddef>
#include <cstdint>

namespace pillar::evaluate {

/// Windows [begin, end) that are to be read.
struct WindowRange {
    std::uint64_t begin = 0, end = 0;
};

/// What is done with a window.
struct WindowWork {
    engine::WindowScoring* scoring = nullptr;    ///< rank 0's
    FunctionRef<void(std::size_t window)> begin; ///< rank 0 only: scoring->begin()
    /// Collective. The window was read whole.
    FunctionRef<void(std::size_t window)> end;
};

/// Collective. Returns how many windows of the text were read whole: range.end, or fewer where a
/// signal has ended it. Throws comm::AgreedError.
std::size_t go_through_windows(comm::Communicator& comm, engine::Loop& loop, WindowRange range,
                               const WindowWork& work);

/// A signal has ended the run after `n_done` windows of all.
void tell_stopped(std::size_t n_done, std::size_t n_windows, bool is_kept);

} // namespace pillar::evaluate
