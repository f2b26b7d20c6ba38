#include "prompt_tokens.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::generate {

namespace {

/// A text of more bytes has more tokens than `n_context`, whatever it says. Pieces are at least as
/// long as the bytes that they stand for; blanks around control tokens may stand for nothing.
std::size_t max_bytes(const tokenizer::Tokenizer& tokenizer, std::size_t n_context) {
    constexpr std::size_t of_one_character = 4;
    constexpr std::size_t of_blanks = std::size_t{1} << 20;
    std::size_t longest = of_one_character;
    for (const std::string& piece : tokenizer.vocabulary().pieces)
        longest = std::max(longest, piece.size());
    return n_context * longest + of_blanks;
}

} // namespace

Prompt read_prompt_tokens(const terminal::PromptOptions& options,
                          const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                          FunctionRef<void()> heartbeat) {
    Prompt prompt;
    prompt.text = terminal::read_prompt(
        options, heartbeat, max_bytes(tokenizer, n_context),
        fmt::format("a context of {} cannot hold it; give a larger --ctx-size or a "
                    "shorter prompt",
                    counted(n_context, "token")));
    prompt.ids = tokenizer.encode(prompt.text);
    if (prompt.ids.empty())
        throw UsageError("the prompt is empty and the model has no beginning-of-sequence token; "
                         "give a text with -p TEXT");
    if (prompt.ids.size() > n_context)
        throw UsageError(
            fmt::format("the prompt has {} but the context is {}; give a larger --ctx-size or a "
                        "shorter prompt",
                        counted(prompt.ids.size(), "token"), n_context));
    return prompt;
}

} // namespace pillar::generate
