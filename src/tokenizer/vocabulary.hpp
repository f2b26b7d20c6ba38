#pragma once
// Reads tokenizer.ggml.* with everything checked that encoding and decoding rely on: as many scores
// and types as pieces, ids inside the vocabulary, no piece twice, byte tokens well formed. Refusals
// name the key and the index.

#include "pillar/gguf/value.hpp"
#include "pillar/tokenizer/pre_tokenizer.hpp"
#include "pillar/tokenizer/special_tokens.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pillar::tokenizer {

/// Bounds on what a file may ask for: far above any real model.
inline constexpr std::size_t max_pieces = 1u << 20;
inline constexpr std::size_t max_merges = 4u << 20;
inline constexpr std::size_t max_piece_bytes = 65'536;

struct VocabularySource {
    Vocabulary vocabulary;
    const PreTokenizerRule* rule = nullptr; ///< byte-level BPE only
    std::span<const std::string> merges;    ///< in the metadata; byte-level BPE only
    std::vector<bool> ends_generation;      ///< one a piece
    std::vector<SpecialToken> special;      ///< control, unknown and user-defined tokens
};

/// Throws FormatError. What is odd but harmless is a warning in the log.
VocabularySource read_vocabulary(const gguf::Metadata& metadata);

/// The id of a special token. Absent as well where the file says "none" (-1) or, with a warning, an
/// id beyond the vocabulary; the warning says that `fallback` is used instead, if there is one.
std::optional<TokenId> read_optional_id(const gguf::Metadata& metadata, std::string_view key,
                                        std::size_t n_pieces,
                                        std::optional<TokenId> fallback = std::nullopt);

/// Tokens that end an answer, from the ids in the metadata and from the pieces that models use for
/// it. Makes control tokens of such pieces that the file calls normal.
std::vector<bool> find_ends(Vocabulary& vocabulary, const gguf::Metadata& metadata);

/// The tokens that are split out of a text first, with the white space that this model's swallow.
std::vector<SpecialToken> find_special(const Vocabulary& vocabulary,
                                       const gguf::Metadata& metadata);

} // namespace pillar::tokenizer
