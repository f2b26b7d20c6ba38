#pragma once
// `run`: complete a prompt, streaming the text to standard output.

#include "pillar/comm/environment.hpp"
#include "pillar/engine/generation.hpp"
#include "pillar/session/options.hpp"
#include "pillar/session/tracing.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pillar::generate {

struct RunOptions {
    session::ModelOptions model;
    terminal::PromptOptions prompt;
    engine::GenerationOptions generation;
    std::optional<std::uint64_t> seed; ///< nothing: one is chosen
    session::TraceFlags trace;
    std::string prompt_cache; ///< a file; empty: none
    bool display_prompt = true;
    bool quiet = false;
    std::vector<std::string> stops; ///< as given: escapes are not processed yet
};

/// Collective. Returns the exit code: resumable where a signal ended it. Throws comm::AgreedError.
int run(const RunOptions& options, comm::Environment& environment);

} // namespace pillar::generate
