// Text from outside, made fit for one terminal line: what could move the cursor, start an escape
// sequence or turn the writing direction is shown as \xNN, byte by byte; so is what is not UTF-8.

#include "pillar/core/errors.hpp"

#include <cstddef>
#include <fmt/format.h>
#include <iterator>

namespace pillar {

namespace {

struct Character {
    std::size_t n_bytes; ///< 0: no valid UTF-8 starts here
    char32_t code;
};

/// The UTF-8 character at the start of `text` (not empty): shortest form only, no surrogates.
Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {1, lead};
    const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < n) return {0, 0};
    char32_t code = lead & (0x7Fu >> n);
    for (std::size_t i = 1; i < n; ++i) {
        if ((byte(i) & 0xC0u) != 0x80u) return {0, 0};
        code = (code << 6) | (byte(i) & 0x3Fu);
    }
    constexpr char32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < lowest[n] || code > 0x10FFFF || surrogate) return {0, 0};
    return {n, code};
}

bool is_plain(char32_t code) {
    if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false; // C0, DEL, C1
    if (code >= 0x2028 && code <= 0x202E) return false;             // line ends, direction
    return code != 0x200E && code != 0x200F && !(code >= 0x2066 && code <= 0x2069);
}

} // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
    std::string result;
    while (!text.empty()) {
        const Character character = first_character(text);
        const std::size_t n = character.n_bytes == 0 ? 1 : character.n_bytes;
        std::string shown;
        if (character.n_bytes != 0 && is_plain(character.code)) {
            shown = text.substr(0, n);
        } else {
            for (const char c : text.substr(0, n))
                fmt::format_to(std::back_inserter(shown), "\\x{:02X}",
                               static_cast<unsigned char>(c));
        }
        if (result.size() + shown.size() > max_bytes) return result + "...";
        result += shown;
        text.remove_prefix(n);
    }
    return result;
}

} // namespace pillar
