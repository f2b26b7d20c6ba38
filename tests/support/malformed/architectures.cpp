// Keys and tensors that single architectures have, with values that they cannot have.

#include "support/malformed/lists.hpp"
#include "support/models/tiny_model.hpp"

#include <fmt/format.h>

#include <limits>

namespace pillar::support {

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

GgufBuilder model_of(const std::string& architecture) {
    return build_tiny_model(
        {.architecture = architecture,
         .n_layers = 1,
         .n_experts = architecture == "gpt-oss" ? 2u : 0u,
         .window = architecture.starts_with("gemma") || architecture == "olmo2" ? 16u : 0u,
         .rope_scaling = architecture == "phi3" ? RopeScaling::longrope : RopeScaling::none});
}

/// One case for each bad value of a key, all of one class.
template <class T>
void add_values(CaseList& list, const std::string& key, const std::string& claim,
                const std::vector<T>& values) {
    const std::string architecture = key.substr(0, key.find('.'));
    for (const T value : values)
        list.add(Verdict::refuse, fmt::format("{}-{}", key, value), key, claim,
                 [=] {
                     GgufBuilder file = model_of(architecture);
                     file.set(key, value);
                     return file.bytes();
                 })
            .class_name = key;
}

/// Which layers have a window, of a model of one layer.
void add_patterns(CaseList& list) {
    const auto add = [&](const std::string& architecture, const std::string& what, auto pattern) {
        const std::string key = architecture + ".attention.sliding_window_pattern";
        list.add(Verdict::refuse, fmt::format("{}-{}", key, what), key,
                 "windows of too many layers, of none, or said by numbers",
                 [=] {
                     GgufBuilder file = model_of(architecture);
                     file.set(key, pattern);
                     return file.bytes();
                 })
            .class_name = "window-of-each-layer";
    };
    add("gemma3", "of-2-layers", std::vector<bool>{true, false});
    add("olmo2", "of-no-layer", std::vector<bool>{});
    add("gpt-oss", "of-numbers", std::vector<std::int32_t>{1});
}

/// The tensor with fewer rows.
void add_cut(CaseList& list, const std::string& architecture, const std::string& tensor,
             const std::string& claim, std::uint64_t n_rows) {
    list.add(Verdict::refuse, fmt::format("{}-{}", architecture, tensor), tensor, claim, [=] {
        GgufBuilder file = model_of(architecture);
        RawTensor& cut = file.tensor(tensor);
        cut.data.resize(cut.data.size() / cut.shape.back() * n_rows);
        cut.shape.back() = n_rows;
        return file.bytes();
    });
}

} // namespace

void add_architecture_cases(Cases& cases) {
    CaseList list(cases, "architectures", Owner::model);
    for (const char* key : {"gemma2.attention.sliding_window", "gemma3.attention.sliding_window"})
        add_values<std::uint32_t>(list, key, "a window of no position, or of 2^31", {0, 1u << 31});
    add_values<std::int32_t>(list, "phi3.attention.sliding_window", "a window of -1", {-1});
    for (const char* key : {"olmo2.attention.sliding_window", "gpt-oss.attention.sliding_window"})
        add_values<std::uint32_t>(list, key, "a window of no position", {0});
    add_patterns(list);
    for (const char* key : {"olmo2.rope.freq_base_swa", "gpt-oss.rope.freq_base_swa"})
        add_values<float>(list, key, "a rotation base of 0 or NaN", {0.0f, not_a_number});
    add_values<std::uint32_t>(list, "gemma3.attention.key_length_swa",
                              "heads of another width within windows", {8});
    for (const char* key :
         {"gemma2.attention.sliding_window_pattern", "gemma3.attention.sliding_window_pattern"})
        add_values<std::uint32_t>(list, key, "every 0th layer without a window", {0});
    for (const char* key : {"gemma2.attn_logit_softcapping", "gemma2.final_logit_softcapping"})
        add_values<float>(list, key, "a cap below 0 or NaN", {-30.0f, not_a_number});
    add_values<float>(list, "gemma3.rope.freq_base_swa", "a rotation base of 0 or NaN",
                      {0.0f, not_a_number});
    add_values<float>(list, "gemma3.final_logit_softcapping",
                      "capped logits in an architecture without", {30.0f});
    for (const char* key :
         {"granite.embedding_scale", "granite.residual_scale", "granite.attention.scale"})
        add_values<float>(list, key, "a factor below 0 or NaN", {-1.0f, not_a_number});
    add_values<float>(list, "granite.logit_scale", "logits divided by 0, NaN or less than 0",
                      {0.0f, not_a_number, -8.0f});
    add_values<float>(list, "mistral3.attention.temperature_scale", "a temperature below 0 or NaN",
                      {-0.1f, not_a_number});
    add_values<std::uint32_t>(list, "mistral3.attention.temperature_length",
                              "a temperature that changes every 0 positions", {0});
    for (const auto& [architecture, key] :
         {std::pair("gemma3", "attention.sliding_window"), std::pair("granite", "logit_scale")})
        list.add(Verdict::refuse, fmt::format("{}-without-{}", architecture, key), key,
                 "a key that the architecture must have is missing",
                 [=] {
                     GgufBuilder file = model_of(architecture);
                     std::erase_if(file.pairs, [&](const RawPair& pair) {
                         return pair.key == fmt::format("{}.{}", architecture, key);
                     });
                     return file.bytes();
                 })
            .class_name = "missing-own-key";
    add_cut(list, "phi3", "blk.0.attn_qkv.weight", "queries, keys and values with a row too few",
            127);
    add_cut(list, "phi3", "blk.0.ffn_up.weight", "up without gate", 160);
    add_cut(list, "phi3", "rope_factors_short.weight", "a rotary factor too few", 7);
    add_cut(list, "olmo2", "blk.0.attn_q_norm.weight", "a norm of one head instead of all", 16);
    list.add(Verdict::refuse, "olmo2-attn_norm", "blk.0.attn_norm.weight",
             "a norm before a block of an architecture without", [] {
                 GgufBuilder file = model_of("olmo2");
                 file.tensors.push_back(file.tensor("output_norm.weight"));
                 file.tensors.back().name = "blk.0.attn_norm.weight";
                 return file.bytes();
             });
    list.add(Verdict::refuse, "granite-three-sets-of-factors", "rope_freqs.weight",
             "rotary factors beside those that depend on the context", [] {
                 GgufBuilder file = build_tiny_model({.architecture = "granite",
                                                      .n_layers = 1,
                                                      .rope_scaling = RopeScaling::longrope});
                 file.tensors.push_back(file.tensor("rope_factors_short.weight"));
                 file.tensors.back().name = "rope_freqs.weight";
                 return file.bytes();
             });
}

} // namespace pillar::support
