#pragma once
// Small pieces of text that several modules write.

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pillar {

/// "1 rank", "2 ranks".
std::string counted(std::size_t n, std::string_view noun);

/// "98.4 MB", "1.21 GB": decimal units, three digits.
std::string human_bytes(double n_bytes);

/// What stands between the separators, empty pieces too: at least one.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Bytes at the end of `text` that `mark`, which is not empty, begins with; not all of the mark.
std::size_t begun_at_end(std::string_view text, std::string_view mark) noexcept;

// A value as text: numbers in full.
inline std::string_view to_text(std::string_view text) {
    return text;
}
std::string to_text(double number);
template <std::integral Whole>
std::string to_text(Whole number) {
    return std::to_string(number);
}

/// "1, 2, 3": texts or numbers.
template <class Values>
std::string joined(const Values& values, std::string_view separator) {
    std::string text;
    bool is_first = true;
    for (const auto& value : values) {
        if (!is_first) text += separator;
        is_first = false;
        text += to_text(value);
    }
    return text;
}

/// One argument of a command line that is shown to be copied, as a shell needs it: quoted where it
/// has to be ('my trace.h5'), with $'...' where it holds what does not fit a terminal's line. Fits
/// into a sentence.
std::string shell_word(std::string_view argument);

} // namespace pillar
