// Limits are lifted: the patterns are ours, proven linear, and a run of a megabyte may well need a
// million steps back. A match that outgrows the compiled code's stack is tried again by the
// interpreter, which has the heap.

#define PCRE2_CODE_UNIT_WIDTH 8

#include "pattern.hpp"

#include "pillar/core/errors.hpp"

#include <array>
#include <cstdint>
#include <fmt/core.h>
#include <pcre2.h>

namespace pillar::tokenizer {

namespace {

// PCRE2's own \s also takes U+180E, which lost the property with Unicode 6.3.
constexpr std::string_view spaces =
    R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

std::string message_of(int error) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

} // namespace

std::string spell_out_spaces(std::string_view pattern) {
    std::string result;
    bool in_brackets = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const std::string_view escape = pattern.substr(i, 2);
        if (escape == "\\s") {
            result += in_brackets ? std::string(spaces) : fmt::format("[{}]", spaces);
            ++i;
        } else if (escape == "\\S") {
            expects(!in_brackets, "\\S stands outside of brackets");
            result += fmt::format("[^{}]", spaces);
            ++i;
        } else if (pattern[i] == '\\') {
            result += escape;
            ++i;
        } else {
            if (pattern[i] == '[') in_brackets = true;
            if (pattern[i] == ']') in_brackets = false;
            result += pattern[i];
        }
    }
    return result;
}

Pattern::Pattern(std::string_view pattern) {
    const std::string text = spell_out_spaces(pattern);
    int error = 0;
    std::size_t place = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                          PCRE2_UTF | PCRE2_UCP, &error, &place, nullptr);
    if (code_ == nullptr)
        throw Error(ExitCode::internal,
                    fmt::format("pre-tokenizer pattern at {}: {}", place, message_of(error)));
    pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE); // without it the interpreter serves
    context_ = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(context_, UINT32_MAX);
    pcre2_set_heap_limit(context_, UINT32_MAX);
}

Pattern::~Pattern() {
    pcre2_match_context_free(context_);
    pcre2_code_free(code_);
}

Pattern::Search::Search(const Pattern& pattern)
    : pattern_(&pattern), data_(pcre2_match_data_create_from_pattern(pattern.code_, nullptr)) {}

Pattern::Search::~Search() {
    pcre2_match_data_free(data_);
}

std::optional<Pattern::Match> Pattern::Search::next(std::string_view text, std::size_t from) {
    const auto match = [&](std::uint32_t options) {
        return pcre2_match(pattern_->code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                           from, options | PCRE2_NO_UTF_CHECK, data_, pattern_->context_);
    };
    int result = match(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = match(PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) return std::nullopt;
    if (result < 0)
        throw Error(ExitCode::internal,
                    fmt::format("the pre-tokenizer failed at byte {} of a text of {} bytes: {}",
                                from, text.size(), message_of(result)));
    const std::size_t* ends = pcre2_get_ovector_pointer(data_);
    return Match{ends[0], ends[1]};
}

} // namespace pillar::tokenizer
