#pragma once
// A text as token ids, for people and scripts.

#include "pillar/tokenizer/tokenizer.hpp"

#include <span>
#include <string>

namespace pillar::inspect {

/// "[1, 2]", or with `pieces` a line "   1 -> 'text'" a token.
std::string tokens_text(const tokenizer::Tokenizer& tokenizer,
                        std::span<const tokenizer::TokenId> ids, bool pieces);

} // namespace pillar::inspect
