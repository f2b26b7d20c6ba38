#pragma once
// Journal → FILE.h5: at the end of a run, or afterwards for a run that did not reach its end. The
// new file is written as FILE.h5.part, brought to the medium and renamed; the journal goes only
// after that.

#include "pillar/core/function_ref.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace pillar::recording {

struct Conversion {
    std::string path; ///< the new file
    std::size_t n_steps = 0;
    std::size_t n_tokens = 0;
    std::size_t n_sequences = 0;
    std::uint64_t n_steps_lost = 0;    ///< of the last gather, which the journal has not whole
    std::uint64_t n_bytes_damaged = 0; ///< at the journal's end, left out
    bool complete = false;             ///< the run came to its end and nothing was lost
};

/// Local. Write `path` from a journal up to its last whole record; the journal stays. Throws
/// IoError, FormatError. `heartbeat` is called again and again meanwhile.
Conversion convert(
    const std::string& journal_path, const std::string& path,
    FunctionRef<void()> heartbeat = [] {});

/// Local. What `pillar report --recover FILE.h5.journal` does: convert, then remove the journal. An
/// existing FILE.h5 is refused (cannot_create) unless `force`; so is a journal that a run still
/// writes (refused).
Conversion recover(const std::string& journal_path, bool force);

} // namespace pillar::recording
