#pragma once
// A conversation as the text that a model was trained on. The template's own parts may hold control
// tokens; what people wrote stays text, whatever it spells.

#include "pillar/tokenizer/tokenizer.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::chat {

/// Neighbours differ in whether control tokens count; none is empty.
using Prompt = std::vector<tokenizer::TextPart>;

/// What a template asks for beside the messages.
struct Settings {
    std::string bos, eos;              ///< the model's tokens as text; empty where it has none
    bool add_generation_prompt = true; ///< what an answer begins with, at the end
    std::optional<bool> thinking;      ///< nothing: as the template does unasked
    std::chrono::year_month_day today; ///< some default system prompts tell it
};

std::string text_of(const Prompt& prompt);

/// BOS and EOS of the vocabulary, and this machine's date.
Settings settings_of(const tokenizer::Tokenizer& tokenizer);

/// BOS of the metadata's add_bos_token stands in front where the template has not written it.
std::vector<tokenizer::TokenId> token_ids(const Prompt& prompt,
                                          const tokenizer::Tokenizer& tokenizer);

} // namespace pillar::chat
