// Two small vocabularies. SentencePiece: <unk> <s> </s>, 256 byte tokens, letters, some words with
// all pieces that merging them passes through, two control tokens for turns of a chat, and fillers.
// BPE: the byte alphabet and the same words with their merges.

#include "support/models/tiny_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pillar::support {

namespace {

enum TokenType : std::int32_t { normal = 1, unknown = 2, control = 3, byte = 6 };

const std::string word_start = "\u2581"; // SentencePiece's space
const std::string byte_space = "\u0120"; // the byte alphabet's

void add(TinyVocabulary& tokens, std::string piece, TokenType type, float score = 0.0f) {
    tokens.pieces.push_back(std::move(piece));
    tokens.types.push_back(type);
    tokens.scores.push_back(score);
}

void require_room(std::uint32_t n_tokens) {
    if (n_tokens < min_tiny_vocab)
        throw std::invalid_argument(fmt::format("a vocabulary needs {} tokens", min_tiny_vocab));
}

void add_turns_and_fillers(TinyVocabulary& tokens, std::uint32_t n_tokens,
                           const std::string& space) {
    add(tokens, "<|im_start|>", control);
    add(tokens, "<|im_end|>", control);
    while (tokens.pieces.size() < n_tokens) {
        const auto i = tokens.pieces.size();
        add(tokens, fmt::format("{}w{}", space, i), normal, -static_cast<float>(i));
    }
}

std::uint32_t id_of(const TinyVocabulary& vocabulary, const std::string& piece) {
    const auto place = std::ranges::find(vocabulary.pieces, piece);
    return static_cast<std::uint32_t>(place - vocabulary.pieces.begin());
}

/// What both kinds have: columns, turns, template.
void set_common(GgufBuilder& builder, const TinyVocabulary& vocabulary) {
    builder.set("tokenizer.ggml.tokens", vocabulary.pieces);
    builder.set("tokenizer.ggml.token_type", vocabulary.types);
    builder.set("tokenizer.ggml.eot_token_id", id_of(vocabulary, "<|im_end|>"));
    builder.set("tokenizer.ggml.add_eos_token", false);
    builder.set("tokenizer.chat_template",
                "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
                "message['content'] + '<|im_end|>\n' }}{% endfor %}"
                "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
}

/// The character that stands for a byte in byte-level BPE: itself when it is printable in Latin-1,
/// otherwise the next free one from U+0100 on.
std::string byte_character(unsigned value) {
    const auto is_itself = [](unsigned v) {
        return (v >= 33 && v <= 126) || (v >= 161 && v <= 172) || v >= 174;
    };
    unsigned code = value;
    if (!is_itself(value)) {
        code = 0x100;
        for (unsigned other = 0; other < value; ++other) code += is_itself(other) ? 0 : 1;
    }
    if (code < 0x80) return std::string(1, static_cast<char>(code));
    return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

} // namespace

TinyVocabulary tiny_spm_vocabulary(std::uint32_t n_tokens) {
    require_room(n_tokens);
    TinyVocabulary tokens;
    add(tokens, "<unk>", unknown);
    add(tokens, "<s>", control);
    add(tokens, "</s>", control);
    for (unsigned value = 0; value < 256; ++value)
        add(tokens, fmt::format("<0x{:02X}>", value), byte);
    float score = 0.0f;
    for (const char* piece : {"th", "he", "in", "er", "an", "on", "the", "and"})
        add(tokens, piece, normal, score -= 1.0f);
    for (const char* piece : {"t", "a", "o", "th", "the", "an", "and", "in", "on", ""})
        add(tokens, word_start + piece, normal, score -= 1.0f);
    for (char letter = 'a'; letter <= 'z'; ++letter)
        add(tokens, std::string(1, letter), normal, score -= 1.0f);
    add_turns_and_fillers(tokens, n_tokens, word_start);
    return tokens;
}

TinyVocabulary tiny_bpe_vocabulary(std::uint32_t n_tokens) {
    require_room(n_tokens);
    TinyVocabulary tokens;
    for (unsigned value = 0; value < 256; ++value) add(tokens, byte_character(value), normal);
    const std::pair<std::string, std::string> merges[] = {
        {"t", "h"},         {"i", "n"},         {"a", "n"},
        {"e", "r"},         {"o", "n"},         {byte_space, "th"},
        {byte_space, "a"},  {"an", "d"},        {byte_space + "th", "e"},
        {byte_space, "in"}, {byte_space, "and"}};
    for (const auto& [left, right] : merges) {
        add(tokens, left + right, normal);
        tokens.merges.push_back(left + " " + right);
    }
    add(tokens, "<|endoftext|>", control);
    add_turns_and_fillers(tokens, n_tokens, byte_space);
    return tokens;
}

void set_spm_vocabulary(GgufBuilder& builder, const TinyVocabulary& vocabulary) {
    builder.set("tokenizer.ggml.model", "llama");
    builder.set("tokenizer.ggml.pre", "default");
    builder.set("tokenizer.ggml.scores", vocabulary.scores);
    builder.set("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
    builder.set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
    builder.set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
    builder.set("tokenizer.ggml.add_bos_token", true);
    builder.set("tokenizer.ggml.add_space_prefix", true);
    set_common(builder, vocabulary);
}

void set_bpe_vocabulary(GgufBuilder& builder, const TinyVocabulary& vocabulary) {
    const std::uint32_t end = id_of(vocabulary, "<|endoftext|>");
    builder.set("tokenizer.ggml.model", "gpt2");
    builder.set("tokenizer.ggml.pre", "gpt-2");
    builder.set("tokenizer.ggml.merges", vocabulary.merges);
    builder.set("tokenizer.ggml.bos_token_id", end);
    builder.set("tokenizer.ggml.eos_token_id", end);
    builder.set("tokenizer.ggml.add_bos_token", false);
    set_common(builder, vocabulary);
}

} // namespace pillar::support
