#pragma once
// Cuts text into the words inside which byte-level BPE merges. A rule is a list of steps; every
// step cuts each word of the step before into the matches of a pattern and what lies between them.
// The rules carry the names that tokenizer.ggml.pre has in GGUF files.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::tokenizer {

/// How a match is cut further: runs of digits into threes counted from the right. (A pattern that
/// does this by looking ahead would look over the whole run at every cut.)
enum class DigitCuts : std::uint8_t {
    none,   ///< the match is one word
    threes, ///< before each group of three; what is left over stays with what stands before it
    apart_on_right, ///< the run is cut off on its right; its first group stays with what stands
                    ///< before the run
};

struct PreTokenizerStep {
    /// In PCRE2's syntax, but \s means the 25 characters with the property White_Space. Never
    /// matches nothing, and never scans far for a match that it then does not make: time must stay
    /// proportional to the text.
    std::string pattern;
    DigitCuts digits = DigitCuts::none;
};

struct PreTokenizerRule {
    std::vector<std::string_view> names;
    std::vector<PreTokenizerStep> steps;
    bool ignore_merges = false; ///< a word that is a piece is taken whole
    bool add_bos = false;       ///< when the metadata do not say
    bool has_default_bos = true;
};

std::span<const PreTokenizerRule> pre_tokenizer_rules();

/// nullptr when no rule has this name.
const PreTokenizerRule* find_pre_tokenizer(std::string_view name);

class PreTokenizer {
  public:
    explicit PreTokenizer(const PreTokenizerRule& rule);
    ~PreTokenizer();
    PreTokenizer(PreTokenizer&&) noexcept;
    PreTokenizer& operator=(PreTokenizer&&) noexcept;

    /// Sizes in bytes of the words, from left to right; their sum is the text's size. Any bytes are
    /// accepted: a byte that belongs to no UTF-8 character is matched as U+FFFD. Time is
    /// proportional to the text.
    [[nodiscard]] std::vector<std::size_t> split(std::string_view text) const;

  private:
    struct Step;
    std::vector<std::unique_ptr<Step>> steps_;
};

} // namespace pillar::tokenizer
