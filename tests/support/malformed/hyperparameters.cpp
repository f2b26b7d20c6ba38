// Models whose numbers are no model's: out of range, against each other, or against the tensors.

#include "support/malformed/lists.hpp"
#include "support/models/tiny_model.hpp"

#include <fmt/format.h>

#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

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

void add_vector(GgufBuilder& file, std::string name, std::size_t n) {
    file.tensors.push_back(
        {.name = std::move(name), .shape = {n}, .type = 0, .data = std::string(4 * n, '\x3d')});
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
    for (const char* name : {"ext_factor", "attn_factor"})
        for (const float value : {-1.0f, not_a_number})
            list.add(Verdict::refuse, fmt::format("yarn-{}-{}", name, value),
                     fmt::format("llama.rope.scaling.yarn_{}", name),
                     "a part or a magnitude of YaRN below 0 or NaN", with([=](GgufBuilder& file) {
                         file.set("llama.rope.scaling.type", "yarn");
                         file.set("llama.rope.scaling.factor", 4.0f);
                         file.set(fmt::format("llama.rope.scaling.yarn_{}", name), value);
                     }))
                .class_name = "yarn-factors";
}

void add_shapes(CaseList& list) {
    for (const std::size_t n_dimensions : {3u, 4u})
        list.add(Verdict::accept, fmt::format("{}-dimensions", n_dimensions), "",
                 "every shape with trailing dimensions of 1", with([=](GgufBuilder& file) {
                     for (RawTensor& tensor : file.tensors) tensor.shape.resize(n_dimensions, 1);
                 }))
            .class_name = "trailing-ones";
    const std::vector<std::pair<const char*, std::vector<std::uint64_t>>> wrong = {
        {"token_embd.weight", {64, 2, 192}},      {"token_embd.weight", {64, 192, 2}},
        {"blk.0.attn_q.weight", {64, 2, 32}},     {"blk.0.attn_q.weight", {64, 32, 1, 2}},
        {"blk.0.attn_q.weight", {64, 1, 64}},     {"output_norm.weight", {1, 64}},
        {"blk.0.attn_norm.weight", {32, 2}},      {"blk.0.attn_norm.weight", {32, 1, 2}},
        {"blk.0.ffn_norm.weight", {1, 1, 1, 64}}, {"blk.0.attn_norm.weight", {}},
    };
    for (const auto& [name, shape] : wrong)
        list.add(Verdict::refuse, fmt::format("{}-of-{}", name, fmt::join(shape, "x")), name,
                 "as many weights as there should be, or one, in other dimensions",
                 with([name = std::string(name), shape = shape](GgufBuilder& file) {
                     RawTensor& tensor = file.tensor(name);
                     tensor.shape = shape;
                     if (shape.empty()) tensor.data.resize(4);
                 }))
            .class_name = "other-dimensions";
    list.add(Verdict::refuse, "heads-that-do-not-match", "blk.0.attn_k.weight",
             "more key-value heads than the matrices have", with([](GgufBuilder& file) {
                 file.set("llama.attention.head_count_kv", std::uint32_t{4});
             }));
}

void add_arrays(CaseList& list) {
    const std::vector<std::pair<const char*, std::uint32_t>> keys = {
        {"llama.attention.head_count", 4},
        {"llama.attention.head_count_kv", 2},
        {"llama.feed_forward_length", 160},
    };
    for (const auto& [key, number] : keys) {
        const std::string name = std::string(key).substr(6);
        const auto with_array = [key = std::string(key)](auto numbers) {
            return [=] {
                GgufBuilder builder = build_tiny_model({.n_layers = 2});
                builder.set(key, numbers);
                return builder.bytes();
            };
        };
        const auto n = static_cast<std::int32_t>(number);
        list.add(Verdict::accept, fmt::format("{}-i32-of-each-layer", name), "",
                 "one number a layer, all the same", with_array(std::vector<std::int32_t>{n, n}))
            .class_name = "number-of-each-layer";
        list.add(Verdict::accept, fmt::format("{}-u32-of-each-layer", name), "",
                 "one number a layer, all the same",
                 with_array(std::vector<std::uint32_t>{number, number}))
            .class_name = "number-of-each-layer";
        const std::vector<std::vector<std::int32_t>> wrong = {{n, n / 2}, {n},      {n, n, n},
                                                              {},         {-1, -1}, {0, 0}};
        for (std::size_t i = 0; i < wrong.size(); ++i)
            list.add(Verdict::refuse, fmt::format("{}-of-layers-{}", name, i), key,
                     "numbers that differ from layer to layer, more or fewer than layers, or out "
                     "of range",
                     with_array(wrong[i]))
                .class_name = "numbers-that-differ";
    }
    list.add(Verdict::refuse, "block-count-array", "llama.block_count", "an array of layer counts",
             with([](GgufBuilder& file) {
                 file.set("llama.block_count", std::vector<std::int32_t>{1});
             }));
    list.add(Verdict::refuse, "head-count-of-floats", "llama.attention.head_count_kv",
             "numbers of heads that are no integers", with([](GgufBuilder& file) {
                 file.set("llama.attention.head_count_kv", std::vector<float>{2.0f});
             }));
}

void add_other_files(CaseList& list) {
    for (const auto& [key, value] :
         {std::pair("general.type", "adapter"), std::pair("general.type", "imatrix"),
          std::pair("general.type", "mmproj"), std::pair("general.architecture", "clip"),
          std::pair("general.architecture", "controlvector")})
        list.add(Verdict::refuse, fmt::format("{}-{}", key, value), key,
                 "an adapter, an importance matrix, a projector or a control vector",
                 with([=](GgufBuilder& file) {
                     file.set(key, value);
                     file.tensors.resize(1);
                 }))
            .class_name = "no-model";
    list.add(Verdict::accept, "general.type-model", "", "a model that says so",
             with([](GgufBuilder& file) { file.set("general.type", "model"); }));
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
    for (const char* name :
         {"blk.0.nobody.weight", "blk.0.attn_q_norm.weight", "blk.0.attn_norm.bias",
          "blk.0.post_attention_norm.weight", "blk.0.attn_sinks.weight", "blk.0.attn_q.scale",
          "blk.0.attn_qkv.weight", "blk.1.attn_norm.weight", "blk.00.attn_q.bias", "blk.0",
          "output.bias", "output_norm.bias", "token_embd_norm.weight", "rope_factors_long.weight",
          "nobody"})
        list.add(Verdict::refuse, fmt::format("extra-tensor-{}", name), name,
                 "a tensor that the architecture does not have, or of a layer beyond the last",
                 with([=](GgufBuilder& file) { add_vector(file, name, 16); }))
            .class_name = "extra-tensor";
    for (const char* name : {"blk.0.attn_rot_embd", "blk.0.attn_rot_embd.weight"})
        list.add(Verdict::accept, fmt::format("harmless-tensor-{}", name), "",
                 "the frequencies of the plain rotation, which the first converters wrote",
                 with([=](GgufBuilder& file) { add_vector(file, name, 8); }))
            .class_name = "harmless-tensor";
    list.add(
        Verdict::accept, "all-biases", "", "a bias for every product", with([](GgufBuilder& file) {
            for (const auto& [name, n] :
                 {std::pair("attn_q", 64), std::pair("attn_k", 32), std::pair("attn_v", 32),
                  std::pair("attn_output", 64), std::pair("ffn_gate", 160),
                  std::pair("ffn_up", 160), std::pair("ffn_down", 64)})
                add_vector(file, fmt::format("blk.0.{}.bias", name), static_cast<std::size_t>(n));
        }));
    list.add(Verdict::refuse, "wrong-shape", "blk.0.ffn_down.weight",
             "a matrix of the right size, rows and columns exchanged", with([](GgufBuilder& file) {
                 RawTensor& tensor = file.tensor("blk.0.ffn_down.weight");
                 std::swap(tensor.shape[0], tensor.shape[1]);
             }));
    for (const char* name : {"blk.0.attn_norm.weight", "blk.0.ffn_down.weight",
                             "output_norm.weight", "blk.0.attn_q.weight"})
        list.add(Verdict::refuse, fmt::format("missing-{}", name), name,
                 "a tensor that is not there", with([=](GgufBuilder& file) {
                     std::erase_if(file.tensors,
                                   [&](const RawTensor& tensor) { return tensor.name == name; });
                 }))
            .class_name = "missing-of-each-kind";
    add_shapes(list);
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
    add_arrays(list);
    add_tensors(list);
    add_other_files(list);
}

} // namespace pillar::support
