#pragma once
// `imatrix`: gathers the importance matrix of a model, which `quantize` weights its errors with,
// while a text goes through it chunk by chunk.

#include "pillar/comm/environment.hpp"
#include "pillar/session/options.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace pillar::evaluate {

struct ImatrixOptions {
    session::ModelOptions model; ///< n_context: tokens of a chunk
    terminal::PromptOptions text;
    std::optional<std::size_t> n_chunks; ///< at most; nothing: all
    std::size_t first_chunk = 0;         ///< of the text: those before are skipped
    std::string output = "imatrix.gguf";
    std::size_t save_every = 10; ///< chunks
    bool process_output = false; ///< the output matrix too
    bool parse_special = false;  ///< control tokens written in the text are ones
    bool computes_perplexity = true;
    bool force = false; ///< do not go on from the file that is there: replace it
};

/// Collective. Returns the exit code: resumable where a signal ended it. Throws comm::AgreedError.
int gather_importance(const ImatrixOptions& options, comm::Environment& environment);

} // namespace pillar::evaluate
