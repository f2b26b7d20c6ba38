#include "synthetic_vocabulary.hpp"

#include <fmt/core.h>
#include <string>
#include <utility>
#include <vector>

namespace pillar::synthetic {

namespace {

enum TokenType : std::int32_t { normal = 1, unknown = 2, control = 3, byte = 6 };

template <class T>
gguf::Value list_of(gguf::ValueType element, std::vector<T> values) {
    return {.type = gguf::ValueType::array,
            .value = gguf::Array{.element = element, .values = std::move(values)}};
}

template <class T>
gguf::Value one(gguf::ValueType type, T value) {
    return {.type = type, .value = std::move(value)};
}

} // namespace

void add_vocabulary(gguf::Metadata& metadata, std::size_t n_tokens) {
    const std::string word_start = "\u2581"; // SentencePiece's space
    std::vector<std::string> pieces = {"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types = {unknown, control, control};
    for (unsigned value = 0; value < 256; ++value) {
        pieces.push_back(fmt::format("<0x{:02X}>", value));
        types.push_back(byte);
    }
    pieces.push_back(word_start);
    for (char letter = '!'; letter <= '~'; ++letter) pieces.emplace_back(1, letter);
    while (pieces.size() < n_tokens)
        pieces.push_back(fmt::format("{}w{}", word_start, pieces.size()));
    types.resize(n_tokens, normal);
    std::vector<float> scores(n_tokens, 0.0f);
    for (std::size_t id = 259; id < n_tokens; ++id) scores[id] = -static_cast<float>(id);

    using enum gguf::ValueType;
    metadata.add("tokenizer.ggml.model", one(string, std::string("llama")));
    metadata.add("tokenizer.ggml.pre", one(string, std::string("default")));
    metadata.add("tokenizer.ggml.tokens", list_of(string, std::move(pieces)));
    metadata.add("tokenizer.ggml.scores", list_of(float32, std::move(scores)));
    metadata.add("tokenizer.ggml.token_type", list_of(int32, std::move(types)));
    metadata.add("tokenizer.ggml.unknown_token_id", one(uint32, std::uint32_t{0}));
    metadata.add("tokenizer.ggml.bos_token_id", one(uint32, std::uint32_t{1}));
    metadata.add("tokenizer.ggml.eos_token_id", one(uint32, std::uint32_t{2}));
    metadata.add("tokenizer.ggml.add_bos_token", one(boolean, true));
}

} // namespace pillar::synthetic
