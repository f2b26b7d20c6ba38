#pragma once
// A vocabulary for a model that was never trained.

#include "pillar/gguf/value.hpp"

#include <cstddef>

namespace pillar::synthetic {

/// The metadata of a SentencePiece-style vocabulary of `n_tokens` ≥ 360 tokens, of which the first
/// are the bytes and the letters, so that every text has ids, and the rest synthetic words.
void add_vocabulary(gguf::Metadata& metadata, std::size_t n_tokens);

} // namespace pillar::synthetic
