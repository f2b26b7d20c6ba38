// Bytes wait until they are a whole character or can no longer become one.

#include "pillar/core/utf8.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <utility>

namespace pillar::tokenizer {

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool special)
    : tokenizer_(&tokenizer), special_(special) {}

std::string StreamDecoder::push(TokenId id) {
    std::string part = tokenizer_->piece(id, special_);
    const Vocabulary& vocabulary = tokenizer_->vocabulary();
    if (first_ && vocabulary.add_space_prefix && part.starts_with(' ')) part.erase(0, 1);
    first_ = first_ && part.empty() && id == vocabulary.bos;
    pending_ += part;

    std::string text;
    std::size_t at = 0;
    while (at < pending_.size()) {
        const Utf8Unit unit = next_unit(pending_, at);
        if (unit.kind == Utf8Unit::Kind::unfinished) break;
        if (unit.kind == Utf8Unit::Kind::character)
            text.append(pending_, at, unit.size);
        else
            text += replacement_character;
        at += unit.size;
    }
    pending_.erase(0, at);
    return text;
}

std::string StreamDecoder::finish() {
    return to_valid_utf8(std::exchange(pending_, {}));
}

} // namespace pillar::tokenizer
