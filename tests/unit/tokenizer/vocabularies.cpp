// Reading golden files and putting metadata together by hand.

#include "vocabularies.hpp"

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace pillar::tokenizer::test {

namespace {

template <class T>
gguf::Value array(gguf::ValueType element, std::vector<T> values) {
    return {gguf::ValueType::array, gguf::Array{element, std::move(values)}, 0};
}

} // namespace

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<gguf::Metadata> read_metadata(const std::string& path) {
    const auto bytes = read_file(path);
    if (!bytes) return std::nullopt;
    return gguf::parse(std::as_bytes(std::span(*bytes)), bytes->size(), path).metadata;
}

std::optional<gguf::Metadata> golden(std::string_view name) {
    return read_metadata(std::string(PILLAR_GOLDEN "/tokenizers/ggml-vocab-") + std::string(name) +
                         ".gguf");
}

gguf::Metadata small(std::string_view name, std::string_view pre) {
    static const auto all = nlohmann::json::parse(
        read_file(PILLAR_TEST_DATA "/tokenizers/small_vocabularies.json").value());
    const auto& vocabulary = all.at(std::string(name));
    const auto pieces = vocabulary.at("tokens").get<std::vector<std::string>>();
    gguf::Metadata metadata("small.gguf");
    metadata.add("tokenizer.ggml.tokens", texts(pieces));
    metadata.add("tokenizer.ggml.token_type",
                 integers(vocabulary.at("types").get<std::vector<std::int32_t>>()));
    if (name == "small-spm") {
        metadata.add("tokenizer.ggml.model", text("llama"));
        metadata.add("tokenizer.ggml.scores",
                     floats(vocabulary.at("scores").get<std::vector<float>>()));
        return metadata;
    }
    const auto end = std::ranges::find(pieces, "<|endoftext|>") - pieces.begin();
    metadata.add("tokenizer.ggml.model", text("gpt2"));
    metadata.add("tokenizer.ggml.pre", text(std::string(pre)));
    metadata.add("tokenizer.ggml.merges",
                 texts(vocabulary.at("merges").get<std::vector<std::string>>()));
    metadata.add("tokenizer.ggml.bos_token_id", number(static_cast<std::uint32_t>(end)));
    metadata.add("tokenizer.ggml.eos_token_id", number(static_cast<std::uint32_t>(end)));
    return metadata;
}

std::optional<gguf::Metadata> find(std::string_view name, std::string_view pre) {
    if (name.starts_with("small-")) return small(name, pre.empty() ? "smollm" : pre);
    std::optional<gguf::Metadata> found;
    if (name == "smollm2" || name == "gemma-3-270m") {
        const std::string path =
            std::string(PILLAR_MODELS "/") +
            (name == "smollm2" ? "SmolLM2-135M-Instruct.Q4_1.gguf" : "gemma-3-270m-q4_k_m.gguf");
        if (std::filesystem::exists(path)) found = gguf::File(path).metadata();
    } else {
        found = golden(name);
    }
    if (!found || pre.empty()) return found;
    return with(*found, "tokenizer.ggml.pre", text(std::string(pre)));
}

gguf::Metadata without(const gguf::Metadata& metadata, std::string_view key) {
    gguf::Metadata copy("test.gguf");
    for (const auto& entry : metadata.entries())
        if (entry.key != key) copy.add(entry.key, entry.value);
    return copy;
}

gguf::Metadata with(const gguf::Metadata& metadata, std::string_view key, gguf::Value value) {
    gguf::Metadata copy = without(metadata, key);
    copy.add(std::string(key), std::move(value));
    return copy;
}

gguf::Value text(std::string value) {
    return {gguf::ValueType::string, std::move(value), 0};
}
gguf::Value number(std::uint32_t value) {
    return {gguf::ValueType::uint32, value, 0};
}
gguf::Value boolean(bool value) {
    return {gguf::ValueType::boolean, value, 0};
}
gguf::Value texts(std::vector<std::string> values) {
    return array(gguf::ValueType::string, std::move(values));
}
gguf::Value floats(std::vector<float> values) {
    return array(gguf::ValueType::float32, std::move(values));
}
gguf::Value integers(std::vector<std::int32_t> values) {
    return array(gguf::ValueType::int32, std::move(values));
}

} // namespace pillar::tokenizer::test
