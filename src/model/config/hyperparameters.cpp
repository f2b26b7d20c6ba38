#include "pillar/model/hyperparameters.hpp"

#include "config/keys.hpp"
#include "config/special_keys.hpp"

#include "pillar/gguf/value.hpp"

#include "pillar/model/architecture.hpp"

#include <cmath>
#include <fmt/core.h>
#include <utility>

namespace pillar::model {

namespace {

void read_heads(const Keys& keys, Hyperparameters& h) {
    h.n_heads = keys.required("attention.head_count", 1, max_heads);
    h.n_kv_heads = keys.optional("attention.head_count_kv", 1, max_heads, h.n_heads);
    if (h.n_heads % h.n_kv_heads != 0)
        throw keys.error(
            "attention.head_count_kv",
            fmt::format("{} KV heads do not divide {} heads", h.n_kv_heads, h.n_heads));
    const std::size_t fallback = h.dim / h.n_heads;
    h.head_dim = keys.optional("attention.key_length", 1, max_head_dim, fallback);
    const std::size_t value_dim =
        keys.optional("attention.value_length", 1, max_head_dim, fallback);
    if (h.head_dim == fallback && h.dim % h.n_heads != 0 &&
        !keys.metadata().find(keys.key("attention.key_length")))
        throw keys.error("embedding_length",
                         fmt::format("{} is not a multiple of {} heads", h.dim, h.n_heads));
    if (h.head_dim == 0 || h.head_dim > max_head_dim)
        throw keys.error("attention.head_count",
                         fmt::format("{} heads of {} dimensions; a head may have 1 to {}",
                                     h.n_heads, h.head_dim, max_head_dim));
    if (value_dim != h.head_dim)
        throw keys.error("attention.value_length",
                         fmt::format("values of {} dimensions beside keys of {} are not supported",
                                     value_dim, h.head_dim));
}

void read_rope(const Keys& keys, Hyperparameters& h) {
    Rope& rope = h.ropes.emplace_back();
    rope.n_dims = keys.optional("rope.dimension_count", 0, max_head_dim, h.head_dim);
    if (rope.n_dims > h.head_dim || rope.n_dims % 2 != 0)
        throw keys.error("rope.dimension_count",
                         fmt::format("{} must be even and at most the head's {} dimensions",
                                     rope.n_dims, h.head_dim));
    rope.base = keys.positive("rope.freq_base", 10'000.0);
    rope.factor = keys.positive("rope.scale_linear", 1.0); // the key's older name
    rope.factor = keys.positive("rope.scaling.factor", rope.factor);
    rope.attention_factor = keys.positive("rope.scaling.attn_factor", 1.0);
    rope.original_context = static_cast<double>(
        keys.optional("rope.scaling.original_context_length", 1, max_context, h.context_length));
    const std::string* type = keys.metadata().string(keys.key("rope.scaling.type"));
    if (type == nullptr) {
        rope.scaling = rope.factor == 1.0 ? RopeScaling::none : RopeScaling::linear;
    } else if (*type == "none") {
        rope.scaling = RopeScaling::none;
        rope.factor = 1.0;
    } else if (*type == "linear" || *type == "longrope") { // the latter: with factors of its own
        rope.scaling = RopeScaling::linear;
    } else if (*type == "yarn") {
        rope.scaling = RopeScaling::yarn;
        rope.extrapolation = keys.not_negative("rope.scaling.yarn_ext_factor", 1.0);
        rope.magnitude = keys.positive("rope.scaling.yarn_attn_factor", 0.0);
        rope.beta_fast = keys.positive("rope.scaling.yarn_beta_fast", 32.0);
        rope.beta_slow = keys.positive("rope.scaling.yarn_beta_slow", 1.0);
        rope.log_multiplier = keys.not_negative("rope.scaling.yarn_log_multiplier", 0.0);
    } else {
        throw keys.error("rope.scaling.type",
                         fmt::format("\"{}\" is not supported; none, linear, longrope and yarn are",
                                     printable(*type)));
    }
}

std::size_t read_vocab_size(const gguf::File& file, const Keys& keys,
                            const Architecture& architecture) {
    const std::string name(embedding_of(architecture).name);
    const gguf::TensorInfo* embedding = file.find_tensor(name);
    if (embedding == nullptr) throw file.error(name, "the tensor is missing");
    const std::uint64_t rows = embedding->shape.size() < 2 ? 1 : embedding->shape[1];
    if (rows == 0 || rows > max_vocab_size)
        throw file.error(
            name, fmt::format("{} rows; a vocabulary may have 1 to {}", rows, max_vocab_size));
    const auto* tokens = file.metadata().strings("tokenizer.ggml.tokens");
    if (tokens != nullptr && tokens->size() != rows)
        throw file.metadata().error(
            "tokenizer.ggml.tokens",
            fmt::format("{} tokens but {} has {} rows", tokens->size(), name, rows));
    const std::size_t stated = keys.optional("vocab_size", 1, max_vocab_size, rows);
    if (stated != rows)
        throw keys.error("vocab_size", fmt::format("{} but {} has {} rows", stated, name, rows));
    return rows;
}

std::string names_of(std::span<const Architecture* const> known) {
    std::string names;
    for (const Architecture* architecture : known) {
        if (!names.empty()) names += ", ";
        names += architecture->name;
    }
    return names;
}

} // namespace

void expect_model(const gguf::Metadata& metadata) {
    struct Kind {
        std::string_view key, value, what;
    };
    static constexpr std::string_view adapter =
        "is an adapter (LoRA), not a model; merge it into the model that it belongs to";
    static constexpr std::string_view imatrix =
        "is an importance matrix, which quantising takes, not a model";
    static constexpr std::string_view projector =
        "is the projector of a multimodal model (mmproj), not a model; give the language model";
    static constexpr Kind kinds[] = {
        {"general.type", "adapter", adapter},
        {"general.type", "imatrix", imatrix},
        {"general.type", "mmproj", projector},
        {"general.type", "clip-vision", projector},
        {"general.architecture", "clip", projector},
        {"general.architecture", "imatrix", imatrix},
        {"general.architecture", "controlvector", "is a control vector, not a model"},
    };
    for (const Kind& kind : kinds) {
        const gguf::Value* value = metadata.find(kind.key);
        const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(&value->value);
        if (text != nullptr && *text == kind.value)
            throw metadata.error(kind.key,
                                 fmt::format("\"{}\": the file {}", kind.value, kind.what));
    }
}

std::size_t n_joint_norms(const Hyperparameters& h) noexcept {
    return static_cast<std::size_t>(
        std::ranges::count(h.layers, HeadNorm::joint, &LayerSpec::head_norm));
}

void choose_rope_factors(Hyperparameters& h, std::size_t n_context) noexcept {
    h.is_long_context = static_cast<double>(n_context) > h.ropes.front().original_context;
}

Hyperparameters read_hyperparameters(const gguf::File& file) {
    return read_hyperparameters(file, architectures());
}

Hyperparameters read_hyperparameters(const gguf::File& file,
                                     std::span<const Architecture* const> known) {
    expect_model(file.metadata());
    const std::string* name = file.metadata().string("general.architecture");
    if (name == nullptr)
        throw file.metadata().error("general.architecture",
                                    "the key is missing; this is not a language model");
    const Architecture* architecture = find_architecture(known, *name);
    if (architecture == nullptr)
        throw file.metadata().error("general.architecture",
                                    fmt::format("\"{}\" is not supported; supported are: {}",
                                                printable(*name), names_of(known)));
    Keys keys(file, *name);
    Hyperparameters h;
    h.architecture = architecture;
    if (const std::string* title = file.metadata().string("general.name")) h.name = *title;
    h.n_layers = keys.required("block_count", 1, max_layers);
    keys.set_layers(h.n_layers);
    h.dim = keys.required("embedding_length", 1, max_dim);
    h.hidden_dim = keys.required("feed_forward_length", 1, max_dim);
    h.context_length = keys.required("context_length", 1, max_context);
    read_heads(keys, h);
    h.norm_eps = static_cast<float>(keys.positive("attention.layer_norm_rms_epsilon", 1e-5));
    read_rope(keys, h);
    h.vocab_size = read_vocab_size(file, keys, *architecture);
    refuse_special_keys(file.metadata(), h);
    architecture->read(file, h);
    choose_rope_factors(h, h.context_length);
    for (std::size_t layer = 0; layer < h.n_layers; ++layer)
        h.layers.push_back(architecture->layer(h, layer));
    return h;
}

} // namespace pillar::model
