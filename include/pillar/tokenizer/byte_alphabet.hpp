#pragma once
// The alphabet in which byte-level vocabularies are written: every byte has a printable character
// of its own (GPT-2, Radford et al. 2019). 33…126, 161…172 and 174…255 stand for themselves, the
// other 68 bytes are U+0100…U+0143 in order; a space is U+0120 "Ġ", a newline U+010A "Ċ".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pillar::tokenizer {

/// The character that stands for `byte`.
std::uint32_t alphabet_character(std::uint8_t byte) noexcept;

/// The byte that `character` stands for; nothing when it is none of the 256.
std::optional<std::uint8_t> alphabet_byte(std::uint32_t character) noexcept;

/// A piece of a vocabulary → the bytes it stands for; nothing when it has a character outside the
/// alphabet.
std::optional<std::string> bytes_of_piece(std::string_view piece);

/// Bytes → the piece that stands for them.
std::string piece_of_bytes(std::string_view bytes);

} // namespace pillar::tokenizer
