#pragma once
// Walking through bytes that ought to be UTF-8: what is whole, what is broken, what only lacks its
// end. Well-formed means RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pillar {

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD"; // U+FFFD

struct Utf8Unit {
    enum class Kind : std::uint8_t {
        character,  ///< a whole character
        broken,     ///< the longest start of a character that cannot go on (at least one byte)
        unfinished, ///< the bytes end inside a character that may still become whole
    };
    std::uint32_t code_point = 0; ///< of a whole character
    std::uint32_t size = 0;       ///< in bytes
    Kind kind = Kind::character;
};

/// The unit that begins at `at` < bytes.size().
Utf8Unit next_unit(std::string_view bytes, std::size_t at) noexcept;

bool is_utf8(std::string_view bytes) noexcept;

/// Append the character; `code_point` is a Unicode scalar value.
void append_utf8(std::string& text, std::uint32_t code_point);

/// Whole characters as they are; U+FFFD for each broken or unfinished unit.
std::string to_valid_utf8(std::string_view bytes);

} // namespace pillar
