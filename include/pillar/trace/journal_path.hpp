#pragma once
// The name of what a trace is until its run has ended. The recorder writes a journal; the reader,
// which reads none, says what to do with one.

#include "pillar/core/output_file.hpp"

#include <string>
#include <string_view>

namespace pillar::trace {

inline constexpr std::string_view journal_ending = ".journal";

/// "FILE.h5" → "FILE.h5.journal", beside what a link of that name stands for.
[[nodiscard]] inline std::string journal_path_of(const std::string& path) {
    return output_target(path).append(journal_ending);
}

} // namespace pillar::trace
