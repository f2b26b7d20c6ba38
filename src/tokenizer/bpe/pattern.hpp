#pragma once
// One compiled pattern: PCRE2 with its just-in-time compiler where the system allows it. Finds
// matches in valid UTF-8 only, which is not checked again.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;
struct pcre2_real_match_data_8;

namespace pillar::tokenizer {

class Pattern {
  public:
    /// `\s` and `\S` mean the property White_Space.
    explicit Pattern(std::string_view pattern);
    ~Pattern();
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;

    struct Match {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    /// Room for one search after another; one a thread.
    class Search {
      public:
        explicit Search(const Pattern& pattern);
        ~Search();
        Search(const Search&) = delete;
        Search& operator=(const Search&) = delete;

        /// The first match in `text` that begins at byte `from` or later.
        std::optional<Match> next(std::string_view text, std::size_t from);

      private:
        const Pattern* pattern_;
        pcre2_real_match_data_8* data_;
    };

  private:
    pcre2_real_code_8* code_ = nullptr;
    pcre2_real_match_context_8* context_ = nullptr;
};

/// The pattern with \s and \S spelled out, inside and outside of brackets.
std::string spell_out_spaces(std::string_view pattern);

} // namespace pillar::tokenizer
