#pragma once
// The prompt as tokens, before anything is loaded: the tokenizer is in the file's header.

#include "pillar/terminal/prompt_text.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <vector>

namespace pillar::generate {

struct Prompt {
    std::string text;
    std::vector<tokenizer::TokenId> ids;
};

/// Rank 0 only. As read_prompt(), which reads no further than a context of `n_context` tokens can
/// hold. Throws UsageError for a prompt without tokens and for one that is too long.
Prompt read_prompt_tokens(const terminal::PromptOptions& options,
                          const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                          FunctionRef<void()> heartbeat);

} // namespace pillar::generate
