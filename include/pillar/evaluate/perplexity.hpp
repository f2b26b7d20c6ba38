#pragma once
// `perplexity`: how well a model predicts a text, counted as llama-perplexity does; and how far its
// predictions are from those of another model, whose logits an earlier run has saved.

#include "pillar/comm/environment.hpp"
#include "pillar/session/options.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace pillar::evaluate {

inline constexpr std::size_t usual_window = 512; ///< tokens

struct PerplexityOptions {
    session::ModelOptions model; ///< n_context: of a window, without what a stride adds
    terminal::PromptOptions text;
    std::size_t stride = 0;              ///< 0: windows stand side by side
    std::optional<std::size_t> n_chunks; ///< windows at most; nothing: all
    std::string output;                  ///< empty, or a file that keeps each token's score
    bool saves_logits = false;           ///< and whole rows of logits
    std::string base;                    ///< empty, or such a file of another model
    bool force = false;
};

/// Throws UsageError where the stride is longer than the window.
void validate(const PerplexityOptions& options);

/// Collective. Returns the exit code: resumable where a signal ended it. Throws comm::AgreedError.
int measure_perplexity(const PerplexityOptions& options, comm::Environment& environment);

} // namespace pillar::evaluate
