#pragma once

namespace pillar::cli {

/// Rank 0 only. Under launch.sh text and messages come to a terminal by two ways, the pipe and
/// mpirun. Wait until what went one way has arrived before anything goes the other: before the
/// answer and after it, never between two tokens. Nothing where there is no pipe.
void let_streams_arrive() noexcept;

} // namespace pillar::cli
