#pragma once
// Who looks at what this process writes, and in which order it arrives there.

namespace pillar::terminal {

/// Is a person looking at this terminal? Under mpirun the process cannot see it: PILLAR_TTY
/// decides, set by the launch scripts.
bool on_terminal();

/// Rank 0 only. And at this one's text? Where a pipe takes it, the script that made the pipe has
/// looked at its own standard output.
bool text_is_watched();

/// Rank 0 only. Under launch.sh text and messages come to a terminal by two ways, the pipe and
/// mpirun. Wait until what went one way has arrived before anything goes the other: before the
/// answer and after it, never between two tokens. Nothing where there is no pipe.
void let_streams_arrive() noexcept;

} // namespace pillar::terminal
