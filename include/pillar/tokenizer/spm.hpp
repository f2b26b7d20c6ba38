#pragma once
// SentencePiece-style merging: a text begins as its characters; of all neighbouring pairs whose
// joined text is a piece, the one with the highest score is joined first. Characters that are no
// piece become byte tokens (or the unknown token). Spaces are written U+2581 by the caller.

#include "pillar/tokenizer/merge.hpp"
#include "pillar/tokenizer/piece_index.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pillar::tokenizer {

class Spm {
  public:
    /// Scores are numbers (no NaN). Control, unknown and byte tokens are not reachable by merging.
    explicit Spm(const Vocabulary& vocabulary);

    /// Append the tokens of `text` (any bytes, shorter than 2^32 - 1).
    void encode(std::string_view text, std::vector<TokenId>& ids, MergeSpace& space) const;

    /// Byte values that have neither a byte token nor a piece of their own.
    [[nodiscard]] std::size_t n_missing_bytes() const noexcept { return n_missing_bytes_; }

  private:
    void encode_word(std::string_view text, std::vector<TokenId>& ids, MergeSpace& space) const;
    void rank_scores(const Vocabulary& vocabulary);
    void find_bytes(const Vocabulary& vocabulary);
    void append_bytes(std::string_view character, std::vector<TokenId>& ids) const;

    PieceIndex pieces_;
    std::vector<TokenId> token_of_piece_;
    std::vector<std::uint32_t>
        priority_of_piece_;                 // 0 for the highest score; equal scores share a number
    std::array<TokenId, 256> byte_token_{}; // -1: none
    TokenId unknown_ = -1;
    bool words_stand_alone_ = true; // no piece has a space behind another character
    std::size_t n_missing_bytes_ = 0;
};

/// The byte that a token text of the form <0xHH> stands for; nothing for any other text.
std::optional<std::uint8_t> byte_of_token(std::string_view text) noexcept;

inline constexpr std::string_view escaped_space = "\xE2\x96\x81"; // U+2581
/// Spaces → U+2581 and back.
std::string escape_spaces(std::string_view text);
std::string unescape_spaces(std::string_view text);

} // namespace pillar::tokenizer
