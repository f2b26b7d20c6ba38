#pragma once
// The text that a subcommand of this module reads.

#include "text_windows.hpp"

#include "pillar/core/function_ref.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pillar::evaluate {

struct WindowedText {
    TokenIds ids; ///< (n_windows, length), as they are fed
    std::size_t n_windows = 0;
    std::size_t n_tokens = 0; ///< of the whole text
};

/// Rank 0 only. At most `n_chunks` windows, after the first `n_skipped`. Control tokens that are
/// written in the text count as text unless `parse_special`, as in llama.cpp. Throws IoError,
/// UsageError; Error(bad_data) where the text is shorter than one window.
WindowedText read_windows(const terminal::PromptOptions& text,
                          const tokenizer::Tokenizer& tokenizer, const WindowShape& shape,
                          std::optional<std::size_t> n_chunks, FunctionRef<void()> heartbeat,
                          std::size_t n_skipped = 0, bool parse_special = false);

/// Rank 0 only. Throws UsageError where none is named.
void expect_text(const terminal::PromptOptions& text);

/// "the text of -p", or its file's name.
std::string name_of(const terminal::PromptOptions& text);

} // namespace pillar::evaluate
