#pragma once
// The flags of subcommands that read a text window by window, with llama.cpp's names.

#include "pillar/arguments/subcommand.hpp"
#include "pillar/session/options.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <cstddef>
#include <optional>

namespace pillar::cli {

using arguments::Subcommand;

/// -f and -p.
void add_text(Subcommand& sub, terminal::PromptOptions& text);
/// -c: tokens of a window; its default is what it holds.
void add_window(Subcommand& sub, session::ModelOptions& options);
/// --chunks: windows at most; nothing: all.
void add_chunks(Subcommand& sub, std::optional<std::size_t>& n_chunks);

} // namespace pillar::cli
