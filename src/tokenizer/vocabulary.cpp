// One function a key. Defaults are those of the two kinds: "llama" begins with BOS = 1, ends with
// EOS = 2, knows UNK = 0 and puts a space in front; "gpt2" has BOS = EOS = 11 and adds nothing
// unless its pre-tokenizer's rule says so.

#include "vocabulary.hpp"

#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/tokenizer/piece_index.hpp"
#include "pillar/tokenizer/spm.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

namespace pillar::tokenizer {

namespace {

constexpr std::string_view tokens_key = "tokenizer.ggml.tokens";
constexpr std::string_view scores_key = "tokenizer.ggml.scores";
constexpr std::string_view types_key = "tokenizer.ggml.token_type";
constexpr std::string_view merges_key = "tokenizer.ggml.merges";
constexpr std::string_view pre_key = "tokenizer.ggml.pre";
constexpr std::string_view model_key = "tokenizer.ggml.model";

std::vector<std::string> read_pieces(const gguf::Metadata& metadata) {
    const auto* pieces = metadata.strings(tokens_key);
    if (pieces == nullptr || pieces->empty())
        throw metadata.error(tokens_key, "the file has no vocabulary");
    if (pieces->size() > max_pieces)
        throw metadata.error(
            tokens_key, fmt::format("{} pieces, at most {} are read", pieces->size(), max_pieces));
    PieceIndex index(pieces->size());
    std::vector<std::size_t> place_of_number;
    for (std::size_t i = 0; i < pieces->size(); ++i) {
        const std::string& piece = (*pieces)[i];
        if (piece.size() > max_piece_bytes)
            throw metadata.error(tokens_key,
                                 fmt::format("piece {} has {} bytes, at most {} are read", i,
                                             piece.size(), max_piece_bytes));
        if (piece.empty()) continue; // an unused place
        const std::uint32_t number = index.add(piece);
        if (number < place_of_number.size())
            throw metadata.error(tokens_key,
                                 fmt::format("\"{}\" stands twice, as piece {} and piece {}",
                                             printable(piece), place_of_number[number], i));
        place_of_number.push_back(i);
    }
    return *pieces;
}

void expect_size(const gguf::Metadata& metadata, std::string_view key, std::size_t size,
                 std::size_t n_pieces) {
    if (size != n_pieces)
        throw metadata.error(key, fmt::format("{} values for {} pieces", size, n_pieces));
}

std::vector<float> read_scores(const gguf::Metadata& metadata, std::size_t n_pieces) {
    const gguf::Value* found = metadata.find(scores_key);
    if (found == nullptr) return {};
    std::vector<float> scores;
    const auto* array = std::get_if<gguf::Array>(&found->value);
    if (array != nullptr && array->element == gguf::ValueType::int32) {
        const auto numbers = metadata.integers(scores_key);
        scores.assign(numbers->begin(), numbers->end());
    } else {
        scores = *metadata.floats(scores_key);
    }
    expect_size(metadata, scores_key, scores.size(), n_pieces);
    for (std::size_t i = 0; i < n_pieces; ++i)
        if (std::isnan(scores[i]))
            throw metadata.error(scores_key,
                                 fmt::format("the score of piece {} is not a number", i));
    return scores;
}

std::vector<TokenType> read_types(const gguf::Metadata& metadata,
                                  const std::vector<std::string>& pieces) {
    std::vector<TokenType> types(pieces.size(), TokenType::normal);
    const auto numbers = metadata.integers(types_key);
    if (!numbers) return types;
    expect_size(metadata, types_key, numbers->size(), pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const std::int64_t number = (*numbers)[i];
        if (number == 0) continue; // "undefined", as older converters wrote it for plain pieces
        if (number < static_cast<int>(TokenType::normal) ||
            number > static_cast<int>(TokenType::byte))
            throw metadata.error(
                types_key, fmt::format("piece {} has the type {}, known are 0 to 6", i, number));
        types[i] = static_cast<TokenType>(number);
        if (types[i] == TokenType::byte && !byte_of_token(pieces[i]))
            throw metadata.error(
                tokens_key,
                fmt::format("piece {} is a byte token but reads \"{}\" instead of <0x00> to <0xFF>",
                            i, printable(pieces[i])));
    }
    return types;
}

std::span<const std::string> read_merges(const gguf::Metadata& metadata,
                                         const PreTokenizerRule& rule) {
    const auto* merges = metadata.strings(merges_key);
    if (merges == nullptr) {
        if (std::ranges::find(rule.names, "kimi-k2") != rule.names.end()) return {};
        throw metadata.error(merges_key, "is missing, byte-level BPE cannot do without it");
    }
    if (merges->size() > max_merges)
        throw metadata.error(
            merges_key, fmt::format("{} merges, at most {} are read", merges->size(), max_merges));
    for (std::size_t i = 0; i < merges->size(); ++i)
        if ((*merges)[i].find(' ', 1) == std::string::npos)
            throw metadata.error(merges_key, fmt::format("merge {} reads \"{}\" instead of two "
                                                         "pieces with a space between them",
                                                         i, printable((*merges)[i])));
    return *merges;
}

const PreTokenizerRule* read_rule(const gguf::Metadata& metadata) {
    const std::string* name = metadata.string(pre_key);
    if (name == nullptr || name->empty()) {
        log::root(log::Level::warning,
                  "{} is missing, the pre-tokenizer \"default\" is used: if the model was made for "
                  "another one, its answers suffer; convert it again with a newer converter",
                  pre_key);
        return find_pre_tokenizer("default");
    }
    if (const auto* rule = find_pre_tokenizer(*name)) return rule;
    std::vector<std::string_view> names;
    for (const PreTokenizerRule& rule : pre_tokenizer_rules())
        names.insert(names.end(), rule.names.begin(), rule.names.end());
    std::ranges::sort(names);
    throw metadata.error(pre_key, fmt::format("the pre-tokenizer \"{}\" is unknown, known are {}",
                                              printable(*name), joined(names, ", ")));
}

/// An id in the vocabulary: from the metadata, else `fallback`, which a small vocabulary may not
/// have.
std::optional<TokenId> read_id(const gguf::Metadata& metadata, std::string_view key,
                               std::size_t n_pieces, std::optional<TokenId> fallback) {
    if (fallback && static_cast<std::size_t>(*fallback) >= n_pieces) fallback.reset();
    const auto id = read_optional_id(metadata, key, n_pieces, fallback);
    return id ? id : fallback;
}

/// Whether to add a token. That a file asks for one that it does not have is refused; where it
/// names one by an id that is none, none is added.
bool read_add(const gguf::Metadata& metadata, std::string_view key, std::string_view what,
              std::string_view id_key, std::optional<TokenId> id, bool fallback) {
    const auto add = metadata.boolean(key);
    if (id || !add || !*add) return id && add.value_or(fallback);
    const std::string problem = fmt::format("is true, but the vocabulary has no {}", what);
    if (metadata.find(id_key) == nullptr) throw metadata.error(key, problem);
    log::root(log::Level::warning, "{} {}; none is added", key, problem);
    return false;
}

/// What converters write for "there is none": -1, in whichever integer type.
template <class T>
bool means_none(T number) noexcept {
    return std::cmp_equal(number, -1) || std::cmp_equal(number, UINT32_MAX) ||
           std::cmp_equal(number, UINT64_MAX);
}

template <class T>
constexpr bool is_id_type = std::is_integral_v<T> && !std::is_same_v<T, bool>;

} // namespace

std::optional<TokenId> read_optional_id(const gguf::Metadata& metadata, std::string_view key,
                                        std::size_t n_pieces, std::optional<TokenId> fallback) {
    const gguf::Value* found = metadata.find(key);
    if (found == nullptr) return std::nullopt;
    return std::visit(
        [&](const auto& number) -> std::optional<TokenId> {
            if constexpr (is_id_type<std::remove_cvref_t<decltype(number)>>) {
                if (std::cmp_greater_equal(number, 0) && std::cmp_less(number, n_pieces))
                    return static_cast<TokenId>(number);
                if (!means_none(number))
                    log::root(log::Level::warning,
                              "{} is {}, beyond the {} pieces of the vocabulary; ignored{}", key,
                              number, n_pieces,
                              fallback ? fmt::format(", {} is used", *fallback) : "");
                return std::nullopt;
            } else {
                (void)metadata.integer(key, 0, UINT64_MAX); // says what it is instead
                return std::nullopt;
            }
        },
        found->value);
}

VocabularySource read_vocabulary(const gguf::Metadata& metadata) {
    VocabularySource source;
    Vocabulary& vocabulary = source.vocabulary;
    const std::string* model = metadata.string(model_key);
    if (model == nullptr) throw metadata.error(model_key, "the file has no tokenizer");
    if (*model != "llama" && *model != "gpt2")
        throw metadata.error(
            model_key, fmt::format("the tokenizer \"{}\" is not supported; known are \"llama\" "
                                   "(SentencePiece) and \"gpt2\" (byte-level BPE)",
                                   printable(*model)));
    vocabulary.model = *model;
    const bool is_spm = *model == "llama";
    if (const std::string* name = metadata.string(pre_key)) vocabulary.pre_tokenizer = *name;

    vocabulary.pieces = read_pieces(metadata);
    const std::size_t n = vocabulary.size();
    vocabulary.scores = read_scores(metadata, n);
    vocabulary.types = read_types(metadata, vocabulary.pieces);
    if (!is_spm) {
        source.rule = read_rule(metadata);
        source.merges = read_merges(metadata, *source.rule);
    }

    const auto id = [&](std::string_view key, std::optional<TokenId> fallback) {
        return read_id(metadata, key, n, fallback);
    };
    std::optional<TokenId> default_bos = is_spm ? 1 : 11;
    if (!is_spm && !source.rule->has_default_bos) default_bos.reset();
    vocabulary.bos = id("tokenizer.ggml.bos_token_id", default_bos);
    vocabulary.eos = id("tokenizer.ggml.eos_token_id", is_spm ? 2 : 11);
    vocabulary.eot = id("tokenizer.ggml.eot_token_id", std::nullopt);
    vocabulary.unk =
        id("tokenizer.ggml.unknown_token_id", is_spm ? std::optional<TokenId>(0) : std::nullopt);
    vocabulary.pad = read_optional_id(metadata, "tokenizer.ggml.padding_token_id", n);

    vocabulary.add_bos =
        read_add(metadata, "tokenizer.ggml.add_bos_token", "BOS token",
                 "tokenizer.ggml.bos_token_id", vocabulary.bos, is_spm || source.rule->add_bos);
    vocabulary.add_eos = read_add(metadata, "tokenizer.ggml.add_eos_token", "EOS token",
                                  "tokenizer.ggml.eos_token_id", vocabulary.eos, false);
    const auto add_space = metadata.boolean("tokenizer.ggml.add_space_prefix");
    vocabulary.add_space_prefix = is_spm && add_space.value_or(true);

    const std::vector<TokenType> types_of_file = vocabulary.types;
    source.ends_generation = find_ends(vocabulary, metadata);
    source.special = find_special(vocabulary, metadata);
    for (SpecialToken& token : source.special)
        token.is_marker = token.user_defined &&
                          types_of_file[static_cast<std::size_t>(token.id)] == TokenType::control;
    return source;
}

} // namespace pillar::tokenizer
