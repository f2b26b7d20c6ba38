#pragma once
// Standard output past the launcher: Open MPI 5's mpirun passes on whole lines only.

namespace pillar::terminal {

/// Rank 0 only. Where PILLAR_TEXT_PIPE names a pipe of this machine that somebody reads
/// (jobs/launch.sh), standard output goes there. A file NAME.open beside the pipe tells the script
/// that this rank has not come to its end.
void take_text_pipe();
/// Whether one was taken: then no launcher reads what is written.
[[nodiscard]] bool has_text_pipe() noexcept;
/// The end: remove that file. Nothing when no pipe was taken.
void leave_text_pipe() noexcept;

} // namespace pillar::terminal
