#pragma once
// The text of a prompt: from the command line, a file, or standard input.

#include "pillar/core/function_ref.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pillar::terminal {

/// What to complete.
struct PromptOptions {
    std::optional<std::string> prompt; ///< -p; an empty one is one
    std::string file;                  ///< -f; "-" is standard input
    bool escape = true;                ///< \n, \t … in -p
};

/// \n, \r, \t, \\, \', \" and \xHH as llama.cpp's -e; anything else stays as it is.
std::string process_escapes(const std::string& text);

/// Rank 0 only. The prompt's bytes from -p, -f or standard input. Throws UsageError or IoError.
/// `heartbeat` is called while nobody has typed or piped it yet.
/// Reads no more than `max_bytes`: a longer one is a UsageError that says `why`.
std::string read_prompt(const PromptOptions& options, FunctionRef<void()> heartbeat,
                        std::size_t max_bytes, std::string_view why);

} // namespace pillar::terminal
