#pragma once
// What must hold before a process opens its first file or starts its first thread.

namespace pillar {

/// A closed descriptor 0, 1 or 2 would be given to the next file that is opened, which would then
/// be read as the prompt or written to as the text. They are opened on /dev/null here, so that
/// reading from 0 and writing to 1 fail (EBADF) and what is written to 2 is dropped.
void open_standard_descriptors() noexcept;

/// A reader that has gone (SIGPIPE) and a limit on file sizes (SIGXFSZ) show as errors of write(2),
/// which can be told, and what is unfinished can be removed.
void ignore_write_signals() noexcept;

} // namespace pillar
