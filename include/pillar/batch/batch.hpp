#pragma once
// `batch`: a file of requests in, a file of results out, each exactly once, whatever ends the run
// in between. Requests are lines of OpenAI's batch format.

#include "pillar/comm/environment.hpp"
#include "pillar/sampling/sampling.hpp"
#include "pillar/session/options.hpp"
#include "pillar/session/tracing.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace pillar::batch {

/// When a result is safe on the disk: after each line, once a second, or when the system likes.
enum class Sync : std::uint8_t { line, second, never };

/// Lines I, I + N, I + 2N … of the input, counted from 0.
struct Shard {
    std::uint64_t index = 0;
    std::uint64_t count = 1;
};

struct BatchOptions {
    session::ModelOptions model;
    std::string input;                 ///< "-": standard input
    std::string output;                ///< "-": standard output, from which nothing can be resumed
    sampling::Parameters sampling;     ///< of requests that say nothing else
    std::optional<std::uint64_t> seed; ///< the same; nothing: 0, so that a restart repeats it
    std::int32_t n_predict = -1; ///< the same; −1: until the model ends or the context is full
    std::optional<std::string> chat_template; ///< nothing: the model's own
    std::optional<Shard> shard;               ///< nothing: that of a Slurm array, else all
    std::size_t n_parallel = 8;               ///< sequences at a time
    Sync sync = Sync::line;
    std::string prompt_cache; ///< a file; empty: none
    session::TraceFlags trace;
};

/// Collective. Returns the exit code: resumable where a signal ended it. Throws comm::AgreedError.
int run_batch(const BatchOptions& options, comm::Environment& environment);

} // namespace pillar::batch
