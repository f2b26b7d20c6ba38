// The 68 bytes without a character of their own are 0…32, 127…160 and 173.

#include "pillar/tokenizer/byte_alphabet.hpp"

#include "pillar/core/utf8.hpp"

namespace pillar::tokenizer {

std::uint32_t alphabet_character(std::uint8_t byte) noexcept {
    if (byte <= 32) return 0x100u + byte;
    if (byte >= 127 && byte <= 160) return 0x121u + (byte - 127u);
    if (byte == 173) return 0x143;
    return byte;
}

std::optional<std::uint8_t> alphabet_byte(std::uint32_t character) noexcept {
    if (character >= 0x100 && character <= 0x120)
        return static_cast<std::uint8_t>(character - 0x100);
    if (character >= 0x121 && character <= 0x142)
        return static_cast<std::uint8_t>(character - 0x121 + 127);
    if (character == 0x143) return std::uint8_t{173};
    const bool own = (character >= 33 && character <= 126) ||
                     (character >= 161 && character <= 255 && character != 173);
    if (!own) return std::nullopt;
    return static_cast<std::uint8_t>(character);
}

std::optional<std::string> bytes_of_piece(std::string_view piece) {
    std::string bytes;
    bytes.reserve(piece.size());
    for (std::size_t at = 0; at < piece.size();) {
        const Utf8Unit unit = next_unit(piece, at);
        if (unit.kind != Utf8Unit::Kind::character) return std::nullopt;
        const auto byte = alphabet_byte(unit.code_point);
        if (!byte) return std::nullopt;
        bytes.push_back(static_cast<char>(*byte));
        at += unit.size;
    }
    return bytes;
}

std::string piece_of_bytes(std::string_view bytes) {
    std::string piece;
    piece.reserve(2 * bytes.size());
    for (const char byte : bytes)
        append_utf8(piece, alphabet_character(static_cast<std::uint8_t>(byte)));
    return piece;
}

} // namespace pillar::tokenizer
