#pragma once
// Finds control and user-defined tokens that stand in a text as they are written, before anything
// else is tokenised: the longest token first, equally long ones from left to right. Tokens may
// swallow the white space beside them
// (`strip`), as some models' do.

#include "pillar/core/function_ref.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::tokenizer {

struct SpecialToken {
    std::string text; ///< not empty
    TokenId id = 0;
    bool strip_left = false;   ///< white space before it vanishes
    bool strip_right = false;  ///< white space after it vanishes
    bool user_defined = false; ///< part of the language that texts are written in
    bool is_marker = false; ///< user-defined so that answers show it, but the file calls it control
};

/// Part of a text: a token, or raw text still to be tokenised.
struct Fragment {
    std::size_t begin = 0;
    std::size_t size = 0;
    TokenId id = -1; ///< -1: raw text (never empty)
};

class SpecialTokens {
  public:
    /// Whether a token that is written at `begin` counts as one there.
    using Counts = FunctionRef<bool(const SpecialToken& token, std::size_t begin)>;

    /// No text twice.
    explicit SpecialTokens(std::vector<SpecialToken> tokens);

    /// The text in fragments, from left to right. One pass over the text where no token begins,
    /// O(log k) a byte for k tokens where some do.
    [[nodiscard]] std::vector<Fragment> split(std::string_view text) const;
    /// The same, of tokens that count where they are written.
    [[nodiscard]] std::vector<Fragment> split(std::string_view text, Counts counts) const;

  private:
    struct Found {
        std::size_t begin = 0;
        std::size_t token = 0; // place in tokens_
    };

    [[nodiscard]] const SpecialToken* longest_match_at(std::string_view text, std::size_t begin,
                                                       std::size_t shorter_than,
                                                       Counts counts) const;
    [[nodiscard]] std::vector<Found> choose(std::string_view text, Counts counts) const;

    std::vector<SpecialToken> tokens_;          // in the order of their bytes
    std::array<std::size_t, 257> first_with_{}; // where in tokens_ a first byte's tokens begin
};

} // namespace pillar::tokenizer
