// What sets the architectures apart, as far as tiny models go.

#include "support/models/tiny_model.hpp"

#include <map>
#include <stdexcept>

namespace pillar::support {

namespace {

const std::map<std::string, TinyLayer> layers = {
    {"llama", {}},
    {"qwen2", {.biases = true}},
    {"qwen3", {.head_norms = true}},
    {"qwen3moe", {.head_norms = true}},
    {"gpt-oss", {.biases = true}},
    {"gemma2", {.post_norms = true}},
    {"gemma3", {.head_norms = true, .post_norms = true}},
    {"phi3", {.fused = true}},
    {"smollm3", {}},
    {"granite", {}},
    {"mistral3", {}},
    {"olmo2", {.post_norms = true, .joint_norms = true}},
};

} // namespace

std::vector<std::string> tiny_architectures() {
    std::vector<std::string> names;
    for (const auto& [name, layer] : layers) names.push_back(name);
    return names;
}

TinyLayer tiny_layer(const std::string& architecture) {
    const auto layer = layers.find(architecture);
    if (layer == layers.end()) throw std::invalid_argument("no tiny model of " + architecture);
    return layer->second;
}

void add_own_keys(GgufBuilder& builder, const TinyModel& options) {
    const std::string& name = options.architecture;
    const auto set = [&](const std::string& key, const auto& value) {
        builder.set(name + "." + key, value);
    };
    if (options.window != 0) set("attention.sliding_window", options.window);
    if (options.window_pattern != 0)
        set("attention.sliding_window_pattern", options.window_pattern);
    if (name == "gemma2") {
        set("attn_logit_softcapping", 2.0f);
        set("final_logit_softcapping", 6.0f);
    }
    if (name == "granite") {
        set("embedding_scale", 3.0f);
        set("residual_scale", 0.22f);
        set("attention.scale", 0.4f);
        set("logit_scale", 2.5f);
    }
    if (name == "mistral3") {
        set("attention.temperature_scale", 0.1f);
        set("attention.temperature_length", std::uint32_t{16});
        set("rope.scaling.yarn_log_multiplier", 0.5f);
    }
}

} // namespace pillar::support
