#pragma once
// Whether a draft model can propose to a model: their tokens must be the same.

#include "pillar/tokenizer/tokenizer.hpp"

#include <string>

namespace pillar::speculation {

/// Empty, or what tells the two vocabularies apart: "token 17 is \"ab\", there \"ac\"". One may
/// have more tokens than the other where these are unused ones at its end (sizes padded for
/// matrices).
[[nodiscard]] std::string difference(const tokenizer::Vocabulary& model,
                                     const tokenizer::Vocabulary& draft);

} // namespace pillar::speculation
