// Text from outside, made fit for one terminal line: what could move the cursor, start an escape
// sequence or turn the writing direction is shown as \xNN, byte by byte; so is what is not UTF-8.

#include "pillar/core/errors.hpp"
#include "pillar/core/utf8.hpp"

#include <fmt/core.h>
#include <iterator>

namespace pillar {

namespace {

bool is_plain(char32_t code) {
    if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false; // C0, DEL, C1
    if (code >= 0x2028 && code <= 0x202E) return false;             // line ends, direction
    return code != 0x200E && code != 0x200F && !(code >= 0x2066 && code <= 0x2069);
}

} // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
    std::string result;
    while (!text.empty()) {
        const Utf8Unit unit = next_unit(text, 0);
        std::string shown;
        if (unit.kind == Utf8Unit::Kind::character && is_plain(unit.code_point)) {
            shown = text.substr(0, unit.size);
        } else {
            for (const char c : text.substr(0, unit.size))
                fmt::format_to(std::back_inserter(shown), "\\x{:02X}",
                               static_cast<unsigned char>(c));
        }
        if (result.size() + shown.size() > max_bytes) return result + "...";
        result += shown;
        text.remove_prefix(unit.size);
    }
    return result;
}

} // namespace pillar
