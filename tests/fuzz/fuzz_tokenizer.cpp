// Checks shared by both kinds of tokenizer.

#include "fuzz_tokenizer.hpp"

#include "pillar/core/utf8.hpp"
#include "pillar/tokenizer/spm.hpp"

#include <cstdint>

namespace pillar::tokenizer::fuzz {

namespace {

std::string stream(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool special) {
    StreamDecoder decoder(tokenizer, special);
    std::string text;
    for (const TokenId id : ids) {
        const std::string part = decoder.push(id);
        require(is_utf8(part));
        text += part;
    }
    return text + decoder.finish();
}

} // namespace

void check_round_trip(const Tokenizer& tokenizer, std::string_view text) {
    const bool is_spm = tokenizer.vocabulary().model == "llama";
    const auto ids = tokenizer.encode(text, {.add_special = false, .parse_special = false});
    std::string expected(text);
    if (is_spm) expected = unescape_spaces(expected); // U+2581 is a space to it
    if (is_spm && text.find("<tool>") != std::string_view::npos)
        expected = tokenizer.decode(ids); // a space is put behind each
    require(tokenizer.decode(ids) == expected);
    require(stream(tokenizer, ids, false) == to_valid_utf8(expected));
    const auto special = tokenizer.encode(text, {.add_special = true, .parse_special = true});
    require(stream(tokenizer, special, true) == to_valid_utf8(tokenizer.decode(special, true)));
}

void check_any_ids(const Tokenizer& tokenizer, std::string_view bytes) {
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
        ids.push_back(static_cast<std::uint8_t>(bytes[i]) |
                      static_cast<std::int8_t>(bytes[i + 1]) * 256);
    for (const bool special : {false, true})
        require(stream(tokenizer, ids, special) == to_valid_utf8(tokenizer.decode(ids, special)));
    for (const TokenId id : ids) (void)tokenizer.ends_generation(id);
}

} // namespace pillar::tokenizer::fuzz
