#pragma once
// `chat`: turns from standard input, a line each; answers to standard output. What was said is kept
// as messages, and of each prompt only what is new is computed.

#include "pillar/comm/environment.hpp"
#include "pillar/sampling/sampling.hpp"
#include "pillar/session/options.hpp"
#include "pillar/session/tracing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pillar::dialogue {

struct ChatOptions {
    session::ModelOptions model;
    sampling::Parameters sampling;
    std::optional<std::uint64_t> seed; ///< nothing: one is chosen
    std::int32_t n_predict =
        -1; ///< tokens of an answer; −1: until the model or the context ends it
    std::optional<std::string> system;        ///< the first message
    std::optional<std::string> chat_template; ///< nothing: the model's own
    std::vector<std::string> stops;           ///< as given: escapes are processed
    std::string prompt_cache;                 ///< a file; empty: none
    session::TraceFlags trace;
    bool shifts_context = false; ///< the oldest turns make room where it is full
};

/// Collective. Returns the exit code. Throws comm::AgreedError.
int run_chat(const ChatOptions& options, comm::Environment& environment);

} // namespace pillar::dialogue
