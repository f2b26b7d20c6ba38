#pragma once
// What must hold for any bytes, whatever the vocabulary.

#include "pillar/tokenizer/tokenizer.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::tokenizer::fuzz {

inline void require(bool holds) {
    if (!holds) std::abort();
}

/// Text → tokens → text, with and without special tokens; streamed and at once.
void check_round_trip(const Tokenizer& tokenizer, std::string_view text);

/// Any ids, taken from the bytes: streamed and at once are the same valid UTF-8.
void check_any_ids(const Tokenizer& tokenizer, std::string_view bytes);

} // namespace pillar::tokenizer::fuzz
