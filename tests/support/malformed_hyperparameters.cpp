// Models whose numbers are no model's: out of range, against each other, or against the tensors.

#include "support/malformed_lists.hpp"
#include "support/tiny_model.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace pillar::support {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

GgufBuilder base() {
    return build_tiny_model({.n_layers = 1});
}

template <class Change>
std::function<std::string()> with(Change change) {
    return [=] {
        GgufBuilder builder = base();
        change(builder);
        return builder.bytes();
    };
}

/// One case for each bad value of a key, all of one class.
template <class T>
void add_values(CaseList& list, const std::string& class_name, const std::string& key,
                const std::string& claim, const std::vector<T>& values,
                const std::string& other_fields = "") {
    for (const T value : values)
        list.add(Verdict::refuse, fmt::format("{}-{}", class_name, value), key + other_fields,
                 claim, with([=](GgufBuilder& file) { file.set(key, value); }))
            .class_name = class_name;
}

void add_counts(CaseList& list) {
    add_values<std::uint32_t>(list, "block-count", "llama.block_count",
                              "0, 1025 or -1 (as i32) layers", {0, 1025});
    add_values<std::int32_t>(list, "block-count", "llama.block_count",
                             "0, 1025 or -1 (as i32) layers", {-1});
    add_values<std::uint32_t>(list, "embedding-length", "llama.embedding_length",
                              "a width of 0, or none that the heads divide", {0, 66},
                              "|llama.attention.head_count");
    add_values<std::uint32_t>(list, "head-count", "llama.attention.head_count", "no heads", {0});
    add_values<std::uint32_t>(list, "kv-head-count", "llama.attention.head_count_kv",
                              "0 key-value heads, more than heads, or no divisor of them",
                              {0, 8, 3});
    add_values<std::uint32_t>(list, "rope-dimensions", "llama.rope.dimension_count",
                              "rotation of more than a head's width, or of an odd number",
                              {18, 15});
    add_values<std::uint32_t>(list, "context-length", "llama.context_length",
                              "a context of 0 or 2^31", {0, std::uint32_t{1} << 31});
}

void add_numbers(CaseList& list) {
    add_values<float>(list, "epsilon", "llama.attention.layer_norm_rms_epsilon",
                      "an epsilon of 0, NaN or below 0", {0.0f, not_a_number, -1e-5f});
    add_values<float>(list, "rope-base", "llama.rope.freq_base",
                      "a rotation base of 0, NaN or infinity", {0.0f, not_a_number, infinity});
}

void add_tensors(CaseList& list) {
    list.add(Verdict::refuse, "vocabulary-not-rows-of-embedding",
             "token_embd.weight|llama.vocab_size|tokenizer.ggml.tokens",
             "more tokens than the embedding has rows", [] {
                 GgufBuilder builder = base();
                 set_spm_vocabulary(builder, tiny_spm_vocabulary(400));
                 builder.set("llama.vocab_size", std::uint32_t{400});
                 return builder.bytes();
             });
    list.add(Verdict::refuse, "missing-tensor", "blk.0.ffn_up.weight", "a matrix that is not there",
             with([](GgufBuilder& file) {
                 std::erase_if(file.tensors, [](const RawTensor& tensor) {
                     return tensor.name == "blk.0.ffn_up.weight";
                 });
             }));
    list.add(Verdict::warn, "extra-tensor", "", "a tensor that the architecture does not have",
             with([](GgufBuilder& file) {
                 file.tensors.push_back({.name = "blk.0.nobody.weight",
                                         .shape = {16},
                                         .type = 0,
                                         .data = std::string(64, 'x')});
             }));
    list.add(Verdict::refuse, "wrong-shape", "blk.0.ffn_down.weight",
             "a matrix of the right size, rows and columns exchanged", with([](GgufBuilder& file) {
                 RawTensor& tensor = file.tensor("blk.0.ffn_down.weight");
                 std::swap(tensor.shape[0], tensor.shape[1]);
             }));
    for (const std::uint16_t half : {std::uint16_t{0x7C00}, std::uint16_t{0x7E00}})
        list.add(Verdict::refuse_when_checked,
                 half == 0x7C00 ? "infinite-scale" : "not-a-number-scale", "blk.0.attn_q.weight",
                 "a block whose scale is infinity or NaN", with([=](GgufBuilder& file) {
                     file.tensor("blk.0.attn_q.weight").data.replace(0, 2, raw(half));
                 }))
            .class_name = "scale-not-finite";
}

} // namespace

void add_hyperparameter_cases(Cases& cases) {
    CaseList list(cases, "hyperparameters", Owner::model);
    add_counts(list);
    add_numbers(list);
    add_tensors(list);
}

} // namespace pillar::support
