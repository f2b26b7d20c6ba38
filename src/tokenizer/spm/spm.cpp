// Scores are turned into whole numbers once, so that pairs of equal score compare as equal and the
// leftmost wins.

#include "pillar/tokenizer/spm.hpp"

#include "pillar/core/utf8.hpp"

#include <algorithm>
#include <functional>

namespace pillar::tokenizer {

namespace {

std::optional<std::uint32_t> hex_digit(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return static_cast<std::uint32_t>(digit - '0');
    if (digit >= 'A' && digit <= 'F') return static_cast<std::uint32_t>(digit - 'A' + 10);
    if (digit >= 'a' && digit <= 'f') return static_cast<std::uint32_t>(digit - 'a' + 10);
    return std::nullopt;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
    std::string result;
    result.reserve(text.size());
    std::size_t done = 0;
    for (auto at = text.find(from); at != std::string_view::npos; at = text.find(from, done)) {
        result += text.substr(done, at - done);
        result += to;
        done = at + from.size();
    }
    return result += text.substr(done);
}

/// A word is its (escaped) spaces and what follows them up to the next space.
std::size_t end_of_word(std::string_view text, std::size_t begin) {
    while (text.substr(begin, escaped_space.size()) == escaped_space) begin += escaped_space.size();
    return std::min(text.size(), text.find(escaped_space, begin));
}

constexpr bool is_reachable(TokenType type) noexcept {
    return type == TokenType::normal || type == TokenType::user_defined ||
           type == TokenType::unused;
}

} // namespace

std::optional<std::uint8_t> byte_of_token(std::string_view text) noexcept {
    if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return std::nullopt;
    const auto high = hex_digit(text[3]);
    const auto low = hex_digit(text[4]);
    if (!high || !low) return std::nullopt;
    return static_cast<std::uint8_t>(*high << 4 | *low);
}

std::string escape_spaces(std::string_view text) {
    return replace_all(text, " ", escaped_space);
}
std::string unescape_spaces(std::string_view text) {
    return replace_all(text, escaped_space, " ");
}

Spm::Spm(const Vocabulary& vocabulary)
    : pieces_(vocabulary.size()), unknown_(vocabulary.unk.value_or(-1)) {
    for (std::size_t id = 0; id < vocabulary.size(); ++id) {
        const std::string& text = vocabulary.pieces[id];
        if (text.empty() || !is_reachable(vocabulary.types[id])) continue;
        if (pieces_.add(text) == token_of_piece_.size())
            token_of_piece_.push_back(static_cast<TokenId>(id));
        if (end_of_word(text, 0) != text.size()) words_stand_alone_ = false;
    }
    rank_scores(vocabulary);
    find_bytes(vocabulary);
}

void Spm::rank_scores(const Vocabulary& vocabulary) {
    priority_of_piece_.assign(token_of_piece_.size(), 0);
    if (vocabulary.scores.empty()) return;
    const auto score = [&](TokenId id) { return vocabulary.scores[static_cast<std::size_t>(id)]; };
    std::vector<float> descending(token_of_piece_.size());
    std::ranges::transform(token_of_piece_, descending.begin(), score);
    std::ranges::sort(descending, std::greater<>());
    descending.erase(std::unique(descending.begin(), descending.end()), descending.end());
    for (std::size_t piece = 0; piece < token_of_piece_.size(); ++piece) {
        const auto place =
            std::ranges::lower_bound(descending, score(token_of_piece_[piece]), std::greater<>());
        priority_of_piece_[piece] = static_cast<std::uint32_t>(place - descending.begin());
    }
}

void Spm::find_bytes(const Vocabulary& vocabulary) {
    byte_token_.fill(-1);
    for (std::size_t id = 0; id < vocabulary.size(); ++id) {
        const auto byte = byte_of_token(vocabulary.pieces[id]);
        if (byte && byte_token_[*byte] < 0) byte_token_[*byte] = static_cast<TokenId>(id);
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const char text = static_cast<char>(byte);
        const std::uint32_t piece = pieces_.find({&text, 1});
        if (byte_token_[byte] < 0 && piece != PieceIndex::none)
            byte_token_[byte] = token_of_piece_[piece];
        if (byte_token_[byte] < 0) ++n_missing_bytes_;
    }
}

void Spm::append_bytes(std::string_view character, std::vector<TokenId>& ids) const {
    const auto token = [this](char byte) { return byte_token_[static_cast<std::uint8_t>(byte)]; };
    if (std::ranges::all_of(character, [&](char byte) { return token(byte) >= 0; })) {
        std::ranges::transform(character, std::back_inserter(ids), token);
    } else if (unknown_ >= 0) {
        ids.push_back(unknown_);
    }
}

void Spm::encode(std::string_view text, std::vector<TokenId>& ids, MergeSpace& space) const {
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = words_stand_alone_ ? end_of_word(text, begin) : text.size();
        encode_word(text.substr(begin, end - begin), ids, space);
        begin = end;
    }
}

void Spm::encode_word(std::string_view text, std::vector<TokenId>& ids, MergeSpace& space) const {
    space.symbols.clear();
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Unit unit = next_unit(text, at);
        const std::size_t size = unit.kind == Utf8Unit::Kind::character ? unit.size : 1;
        space.append(static_cast<std::uint32_t>(at), pieces_.find(text.substr(at, size)));
        at += size;
    }
    const auto end_of = [&](const Symbol& symbol) {
        return symbol.next == no_symbol ? text.size() : space.symbols[symbol.next].begin;
    };
    merge(space, [&](const Symbol& left, const Symbol& right) -> Pair {
        const std::size_t size = end_of(right) - left.begin;
        const std::uint32_t piece = pieces_.find(text.substr(left.begin, size));
        if (piece == PieceIndex::none) return {};
        return {priority_of_piece_[piece], piece};
    });
    for (std::uint32_t i = 0; i != no_symbol; i = space.symbols[i].next) {
        const Symbol& symbol = space.symbols[i];
        if (symbol.piece != PieceIndex::none)
            ids.push_back(token_of_piece_[symbol.piece]);
        else
            append_bytes(text.substr(symbol.begin, end_of(symbol) - symbol.begin), ids);
    }
}

} // namespace pillar::tokenizer
