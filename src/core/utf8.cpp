// The table of well-formed byte sequences (Unicode standard, table 3-7): the lead byte tells the
// length and the range of the second byte; all further bytes are 80..BF.

#include "pillar/core/utf8.hpp"

namespace pillar {

namespace {

struct Lead {
    std::uint32_t size; // 0: no character begins so
    std::uint8_t lowest_second, highest_second;
};

constexpr Lead lead_of(std::uint8_t byte) noexcept {
    if (byte < 0x80) return {1, 0, 0};
    if (byte < 0xC2) return {0, 0, 0};
    if (byte < 0xE0) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte < 0xF0) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte < 0xF4) return {4, 0x80, 0xBF};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {0, 0, 0};
}

} // namespace

Utf8Unit next_unit(std::string_view bytes, std::size_t at) noexcept {
    using Kind = Utf8Unit::Kind;
    const auto first = static_cast<std::uint8_t>(bytes[at]);
    const Lead lead = lead_of(first);
    if (lead.size == 1) return {first, 1, Kind::character};
    if (lead.size == 0) return {0, 1, Kind::broken};
    std::uint32_t code_point = first & (0x7Fu >> lead.size);
    for (std::uint32_t i = 1; i < lead.size; ++i) {
        if (at + i == bytes.size()) return {0, i, Kind::unfinished};
        const auto byte = static_cast<std::uint8_t>(bytes[at + i]);
        const std::uint8_t lowest = i == 1 ? lead.lowest_second : 0x80;
        const std::uint8_t highest = i == 1 ? lead.highest_second : 0xBF;
        if (byte < lowest || byte > highest) return {0, i, Kind::broken};
        code_point = code_point << 6 | (byte & 0x3Fu);
    }
    return {code_point, lead.size, Kind::character};
}

bool is_utf8(std::string_view bytes) noexcept {
    for (std::size_t at = 0; at < bytes.size();) {
        const Utf8Unit unit = next_unit(bytes, at);
        if (unit.kind != Utf8Unit::Kind::character) return false;
        at += unit.size;
    }
    return true;
}

void append_utf8(std::string& text, std::uint32_t code_point) {
    const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (code_point < 0x80) return put(code_point);
    if (code_point < 0x800) {
        put(0xC0 | code_point >> 6);
    } else if (code_point < 0x10000) {
        put(0xE0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3F));
    } else {
        put(0xF0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3F));
        put(0x80 | (code_point >> 6 & 0x3F));
    }
    put(0x80 | (code_point & 0x3F));
}

std::string to_valid_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        const Utf8Unit unit = next_unit(bytes, at);
        text += unit.kind == Utf8Unit::Kind::character ? bytes.substr(at, unit.size)
                                                       : replacement_character;
        at += unit.size;
    }
    return text;
}

} // namespace pillar
