#pragma once
// Byte-level BPE: a word begins as its single bytes and grows by the vocabulary's ranked merges.
// Pieces and merges are kept as raw bytes, not in the printable alphabet of the file.

#include "pillar/tokenizer/merge.hpp"
#include "pillar/tokenizer/piece_index.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::tokenizer {

class Bpe {
  public:
    /// `merges` are "left right" in order of rank; every entry has a space after its first byte.
    /// With `ignore_merges` a word that is a piece is taken whole. Control, unknown and byte tokens
    /// are not reachable from text.
    Bpe(const Vocabulary& vocabulary, std::span<const std::string> merges, bool ignore_merges);

    /// Append the tokens of one word (any bytes, shorter than 2^32 - 1). A byte for which the
    /// vocabulary has no piece vanishes, as in other engines: most lack those that never occur in
    /// UTF-8, some lack control characters.
    void encode(std::string_view word, std::vector<TokenId>& ids, MergeSpace& space) const;

    /// Merges whose result is no token, or that name what stands for no bytes.
    [[nodiscard]] std::size_t n_strange_merges() const noexcept { return n_strange_merges_; }
    /// Byte values for which there is no piece.
    [[nodiscard]] std::size_t n_missing_bytes() const noexcept { return n_missing_bytes_; }

  private:
    /// (left, right) → Pair: open addressing, at most half full.
    class PairTable {
      public:
        explicit PairTable(std::size_t most);                         ///< for at most so many pairs
        void add(std::uint32_t left, std::uint32_t right, Pair pair); ///< the first one stays
        [[nodiscard]] Pair find(std::uint32_t left, std::uint32_t right) const noexcept;

      private:
        struct Slot {
            std::uint64_t key = UINT64_MAX;
            Pair pair;
        };
        [[nodiscard]] std::size_t slot_of(std::uint64_t key) const noexcept;
        std::vector<Slot> slots_;
        std::uint64_t seed_;
    };

    void add_merge(std::string_view merge, std::uint32_t rank);
    void append_token(std::uint32_t piece, std::vector<TokenId>& ids) const;

    PieceIndex pieces_; // the vocabulary's, the 256 bytes, and what merges name beside them
    std::vector<TokenId> token_of_piece_; // -1: no token
    std::array<std::uint32_t, 256> piece_of_byte_{};
    PairTable pairs_;
    bool ignore_merges_;
    std::size_t n_strange_merges_ = 0;
    std::size_t n_missing_bytes_ = 0;
};

} // namespace pillar::tokenizer
