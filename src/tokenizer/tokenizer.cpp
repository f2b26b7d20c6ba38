// Joins the parts: special tokens are split out, then each rest is escaped and merged
// (SentencePiece) or cut into words and merged (byte-level BPE).

#include "pillar/tokenizer/tokenizer.hpp"

#include "vocabulary.hpp"

#include "pillar/core/log.hpp"
#include "pillar/core/utf8.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/tokenizer/bpe.hpp"
#include "pillar/tokenizer/byte_alphabet.hpp"
#include "pillar/tokenizer/merge.hpp"
#include "pillar/tokenizer/pre_tokenizer.hpp"
#include "pillar/tokenizer/special_tokens.hpp"
#include "pillar/tokenizer/spm.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <utility>

namespace pillar::tokenizer {

namespace {

/// Symbols are numbered with 32 bits and an escaped space is three bytes long.
constexpr std::size_t max_text_bytes = std::size_t{1} << 30;

void expect_not_too_long(std::size_t n_bytes) {
    if (n_bytes > max_text_bytes)
        throw UsageError(fmt::format("the text has {} bytes, at most {} can be tokenised at once",
                                     n_bytes, max_text_bytes));
}

/// A piece of a byte-level vocabulary as text; characters outside the alphabet stand for
/// themselves.
std::string text_of_piece(const std::string& piece) {
    if (auto bytes = bytes_of_piece(piece)) return *std::move(bytes);
    std::string text;
    for (std::size_t at = 0; at < piece.size();) {
        const Utf8Unit unit = next_unit(piece, at);
        const bool whole = unit.kind == Utf8Unit::Kind::character;
        const auto byte = whole ? alphabet_byte(unit.code_point) : std::nullopt;
        if (byte)
            text.push_back(static_cast<char>(*byte));
        else
            text += piece.substr(at, unit.size);
        at += unit.size;
    }
    return text;
}

} // namespace

struct Tokenizer::State {
    explicit State(const gguf::Metadata& metadata) : State(read_vocabulary(metadata), metadata) {}
    State(VocabularySource source, const gguf::Metadata& metadata);

    /// Append the tokens of the text.
    void encode(std::string_view text, SpecialTokens::Counts counts,
                std::vector<TokenId>& ids) const;
    void encode_raw(std::string_view text, bool space_in_front, std::vector<TokenId>& ids,
                    MergeSpace& space) const;

    Vocabulary vocabulary;
    std::vector<bool> ends_generation;
    SpecialTokens special;
    std::unique_ptr<Spm> spm;
    std::unique_ptr<Bpe> bpe;
    std::unique_ptr<PreTokenizer> pre_tokenizer;
};

Tokenizer::State::State(VocabularySource source, const gguf::Metadata& metadata)
    : special(std::move(source.special)) {
    vocabulary = std::move(source.vocabulary);
    ends_generation = std::move(source.ends_generation);
    std::size_t n_missing = 0;
    if (source.rule == nullptr) {
        spm = std::make_unique<Spm>(vocabulary);
        n_missing = spm->n_missing_bytes();
        if (vocabulary.scores.empty())
            log::root(log::Level::warning, "tokenizer.ggml.scores is missing: all pieces count the "
                                           "same, prompts are cut unlike in training");
    } else {
        bpe = std::make_unique<Bpe>(vocabulary, source.merges, source.rule->ignore_merges);
        pre_tokenizer = std::make_unique<PreTokenizer>(*source.rule);
        n_missing = bpe->n_missing_bytes();
        if (bpe->n_strange_merges() != 0)
            log::root(log::Level::debug,
                      "tokenizer.ggml.merges: {} of {} merges name something that is not a piece "
                      "of the vocabulary",
                      bpe->n_strange_merges(), source.merges.size());
    }
    if (n_missing != 0 && spm != nullptr && !vocabulary.unk)
        throw metadata.error("tokenizer.ggml.unknown_token_id",
                             fmt::format("{} byte values have no token and there is no unknown "
                                         "token to stand for them",
                                         n_missing));
}

void Tokenizer::State::encode(std::string_view text, SpecialTokens::Counts counts,
                              std::vector<TokenId>& ids) const {
    MergeSpace space;
    bool space_in_front = vocabulary.add_space_prefix;
    for (const Fragment& fragment : special.split(text, counts)) {
        if (fragment.id >= 0) {
            ids.push_back(fragment.id);
            space_in_front = vocabulary.add_space_prefix;
        } else {
            encode_raw(text.substr(fragment.begin, fragment.size), space_in_front, ids, space);
            space_in_front = false;
        }
    }
}

void Tokenizer::State::encode_raw(std::string_view text, bool space_in_front,
                                  std::vector<TokenId>& ids, MergeSpace& space) const {
    if (spm != nullptr) {
        std::string escaped(space_in_front ? escaped_space : std::string_view());
        escaped += escape_spaces(text);
        return spm->encode(escaped, ids, space);
    }
    std::size_t begin = 0;
    for (const std::size_t size : pre_tokenizer->split(text)) {
        bpe->encode(text.substr(begin, size), ids, space);
        begin += size;
    }
}

namespace {

/// A text that already has what is added to it: most likely a template that names them.
void warn_of_doubles(const Vocabulary& vocabulary, std::span<const TokenId> ids) {
    const auto warn = [&](std::string_view verb, TokenId id, std::string_view name) {
        log::root(log::Level::warning,
                  "the text {} with \"{}\", and the model has {} added to every text: it is there "
                  "twice, which models do not expect; leave it out of the text",
                  verb, printable(vocabulary.pieces[static_cast<std::size_t>(id)]), name);
    };
    const std::size_t begin = vocabulary.add_bos ? 1 : 0;
    const std::size_t end = ids.size() - (vocabulary.add_eos ? 1 : 0);
    if (begin >= end) return; // nothing of the text's own
    if (vocabulary.add_bos && ids[begin] == vocabulary.bos) warn("begins", ids[begin], "BOS");
    if (vocabulary.add_eos && ids[end - 1] == vocabulary.eos) warn("ends", ids[end - 1], "EOS");
}

} // namespace

Tokenizer::Tokenizer(const gguf::Metadata& metadata) : state_(std::make_unique<State>(metadata)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

const Vocabulary& Tokenizer::vocabulary() const noexcept {
    return state_->vocabulary;
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
    expect_not_too_long(text.size());
    const Vocabulary& vocabulary = state_->vocabulary;
    std::vector<TokenId> ids;
    if (options.add_special && vocabulary.add_bos) ids.push_back(*vocabulary.bos);
    const auto counts = [&options](const SpecialToken& token, std::size_t) {
        return options.parse_special || token.user_defined;
    };
    state_->encode(text, counts, ids);
    if (options.add_special && vocabulary.add_eos) ids.push_back(*vocabulary.eos);
    if (options.add_special) warn_of_doubles(vocabulary, ids);
    return ids;
}

std::vector<TokenId> Tokenizer::encode(std::span<const TextPart> parts) const {
    std::string text;
    std::vector<std::size_t> ends;
    for (const TextPart& part : parts) {
        text += part.text;
        ends.push_back(text.size());
        expect_not_too_long(text.size());
    }
    const auto counts = [&](const SpecialToken& token, std::size_t begin) {
        const auto end = std::ranges::upper_bound(ends, begin); // of the part that holds `begin`
        const auto& part = parts[static_cast<std::size_t>(end - ends.begin())];
        return (token.user_defined && !token.is_marker) ||
               (part.parse_special && begin + token.text.size() <= *end);
    };
    std::vector<TokenId> ids;
    state_->encode(text, counts, ids);
    return ids;
}

std::string Tokenizer::piece(TokenId id, bool special) const {
    const Vocabulary& vocabulary = state_->vocabulary;
    if (id < 0 || static_cast<std::size_t>(id) >= vocabulary.size()) return {};
    const std::string& piece = vocabulary.pieces[static_cast<std::size_t>(id)];
    switch (vocabulary.types[static_cast<std::size_t>(id)]) {
    case TokenType::control:
    case TokenType::unknown:
        return special ? piece : std::string();
    case TokenType::user_defined:
        return piece;
    case TokenType::byte: // its form was checked when it was read
        return std::string(1, static_cast<char>(byte_of_token(piece).value_or(0)));
    case TokenType::normal:
    case TokenType::unused:
        break;
    }
    return state_->spm != nullptr ? unescape_spaces(piece) : text_of_piece(piece);
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool special) const {
    std::string text;
    bool at_front = state_->vocabulary.add_space_prefix;
    for (const TokenId id : ids) {
        const std::string part = piece(id, special);
        const bool hidden_bos = part.empty() && id == state_->vocabulary.bos;
        text += at_front && part.starts_with(' ') ? std::string_view(part).substr(1) : part;
        at_front = at_front && hidden_bos;
    }
    return text;
}

bool Tokenizer::ends_generation(TokenId id) const noexcept {
    return id >= 0 && static_cast<std::size_t>(id) < state_->ends_generation.size() &&
           state_->ends_generation[static_cast<std::size_t>(id)];
}

std::vector<TokenId> Tokenizer::end_tokens() const {
    std::vector<TokenId> ids;
    for (std::size_t id = 0; id < state_->ends_generation.size(); ++id)
        if (state_->ends_generation[id]) ids.push_back(static_cast<TokenId>(id));
    return ids;
}

} // namespace pillar::tokenizer
