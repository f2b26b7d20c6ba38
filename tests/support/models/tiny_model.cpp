// Hyperparameters and tensors of the tiny model. Every matrix has a spread of 1/√columns, so that
// what it is multiplied with keeps its size; the output matrix twice that.

#include "support/models/tiny_model.hpp"

#include "support/models/random_blocks.hpp"
#include "support/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numbers>
#include <stdexcept>

namespace pillar::support {

namespace {

using quant::Type;

constexpr double scaling_factor = 4.0;

/// The format of a matrix: what was asked for, or one that divides its rows.
Type type_of(const TinyModel& options, const std::string& name, std::uint64_t columns) {
    Random random(options.seed, name);
    const Type mixed = quant::all_types[random.below(std::size(quant::all_types))];
    const bool is_output = name == "token_embd.weight" || name == "output.weight";
    const Type wanted =
        is_output && options.output_type ? *options.output_type : options.type.value_or(mixed);
    for (const Type type : {wanted, Type::q5_0})
        if (columns % quant::info(type).block_weights == 0) return type;
    return Type::f16;
}

/// `count` matrices, one after another; 0: a tensor of two dimensions.
void add_matrix(GgufBuilder& builder, const TinyModel& options, const std::string& name,
                std::uint64_t columns, std::uint64_t rows, double gain = 1.0,
                std::uint64_t count = 0, std::optional<Type> the_type = {}) {
    const Type type = the_type ? *the_type : type_of(options, name, columns);
    std::vector<std::uint64_t> shape = {columns, rows};
    if (count > 0) shape.push_back(count);
    const std::uint64_t n_weights = columns * rows * std::max<std::uint64_t>(1, count);
    Random random(options.seed, name + ".data");
    const double deviation = gain / std::sqrt(static_cast<double>(columns));
    builder.tensors.push_back({.name = name,
                               .shape = std::move(shape),
                               .type = static_cast<std::uint32_t>(type),
                               .data = random_blocks(type, n_weights, deviation, random)});
}

void add_vector(GgufBuilder& builder, const std::string& name, const std::vector<float>& values) {
    std::string data;
    for (const float value : values) data += raw(value);
    builder.tensors.push_back({.name = name,
                               .shape = {values.size()},
                               .type = static_cast<std::uint32_t>(Type::f32),
                               .data = data});
}

/// A norm's weights of `n` elements, 0: the width of the residual.
void add_norm(GgufBuilder& builder, const TinyModel& options, const std::string& name,
              std::size_t n = 0) {
    Random random(options.seed, name);
    std::vector<float> values(n == 0 ? options.dim : n);
    for (float& value : values) value = static_cast<float>(1.0 + 0.1 * random.centred());
    add_vector(builder, name, values);
}

void add_bias(GgufBuilder& builder, const TinyModel& options, const std::string& name,
              std::uint64_t n) {
    Random random(options.seed, name);
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(0.5 * random.centred());
    add_vector(builder, name, values);
}

/// Llama 3.1's frequency factors: long waves are stretched, short ones stay, those between are
/// blended. The original context is a quarter of the model's.
std::vector<float> llama3_factors(const TinyModel& options) {
    const double original = options.context / scaling_factor;
    constexpr double low = 1.0;
    constexpr double high = 4.0;
    const std::uint32_t width = options.rotary_width();
    std::vector<float> factors(width / 2);
    for (std::uint32_t i = 0; i < width / 2; ++i) {
        const double frequency = std::pow(options.rope_base, -2.0 * i / width);
        const double turns = original * frequency / (2.0 * std::numbers::pi);
        const double blend = std::clamp((turns - low) / (high - low), 0.0, 1.0);
        factors[i] = static_cast<float>(1.0 / ((1.0 - blend) / scaling_factor + blend));
    }
    return factors;
}

void add_rope_scaling(GgufBuilder& builder, const TinyModel& options) {
    const auto set = [&](const std::string& key, const auto& value) {
        builder.set(options.architecture + "." + key, value);
    };
    switch (options.rope_scaling) {
    case RopeScaling::none:
        return;
    case RopeScaling::llama3:
        add_vector(builder, "rope_freqs.weight", llama3_factors(options));
        return;
    case RopeScaling::longrope:
        for (const double longest : {1.5, 40.0}) {
            std::vector<float> factors(options.rotary_width() / 2);
            for (std::size_t i = 0; i < factors.size(); ++i)
                factors[i] = static_cast<float>(1 + (longest - 1) * static_cast<double>(i) /
                                                        static_cast<double>(factors.size()));
            add_vector(builder,
                       longest < 2 ? "rope_factors_short.weight" : "rope_factors_long.weight",
                       factors);
        }
        if (options.architecture != "phi3")
            set("rope.scaling.type", "longrope"); // it needs no word
        set("rope.scaling.attn_factor", 1.19f);
        set("rope.scaling.original_context_length",
            static_cast<std::uint32_t>(options.context / scaling_factor));
        return;
    case RopeScaling::linear:
        set("rope.scaling.type", "linear");
        break;
    case RopeScaling::yarn:
        set("rope.scaling.type", "yarn");
        break;
    }
    set("rope.scaling.factor", static_cast<float>(scaling_factor));
    set("rope.scaling.original_context_length",
        static_cast<std::uint32_t>(options.context / scaling_factor));
}

void add_hyperparameters(GgufBuilder& builder, const TinyModel& options) {
    const auto set = [&](const std::string& key, const auto& value) {
        builder.set(options.architecture + "." + key, value);
    };
    builder.set("general.architecture", options.architecture);
    builder.set("general.name", "tiny");
    builder.set("general.quantization_version", std::uint32_t{2});
    set("context_length", options.context);
    set("embedding_length", options.dim);
    set("block_count", options.n_layers);
    if (options.n_experts > 0) {
        set("expert_count", options.n_experts);
        set("expert_used_count", options.n_experts_used);
    }
    const bool has_width_of_experts = options.architecture != "llama" && options.n_experts > 0;
    if (has_width_of_experts) set("expert_feed_forward_length", options.ffn);
    set("feed_forward_length", has_width_of_experts ? 3 * options.ffn : options.ffn);
    set("attention.head_count", options.n_heads);
    set("attention.head_count_kv", options.n_kv_heads);
    set("attention.layer_norm_rms_epsilon", 1e-5f);
    set("rope.dimension_count", options.rotary_width());
    set("rope.freq_base", options.rope_base);
    set("vocab_size", options.vocab);
    if (options.head_width() * options.n_heads != options.dim) {
        set("attention.key_length", options.head_width());
        set("attention.value_length", options.head_width());
    }
    add_own_keys(builder, options);
}

/// A router whose scores differ by more than rounding does, and the experts' three tensors.
void add_experts(GgufBuilder& builder, const TinyModel& options, const std::string& block) {
    const std::uint64_t dim = options.dim, ffn = options.ffn, n = options.n_experts;
    add_matrix(builder, options, block + "ffn_gate_inp.weight", dim, n, 2.0, 0, Type::f32);
    add_matrix(builder, options, block + "ffn_gate_exps.weight", dim, ffn, 1.0, n);
    add_matrix(builder, options, block + "ffn_up_exps.weight", dim, ffn, 1.0, n);
    add_matrix(builder, options, block + "ffn_down_exps.weight", ffn, dim, 1.0, n);
    if (options.architecture != "gpt-oss") return;
    add_bias(builder, options, block + "ffn_gate_inp.bias", n);
    for (const auto& [name, width] :
         {std::pair("gate", ffn), std::pair("up", ffn), std::pair("down", dim)}) {
        add_bias(builder, options, fmt::format("{}ffn_{}_exps.bias", block, name), width * n);
        builder.tensors.back().shape = {width, n};
    }
}

void add_layer(GgufBuilder& builder, const TinyModel& options, std::uint32_t index) {
    const std::string block = fmt::format("blk.{}.", index);
    const TinyLayer layer = tiny_layer(options.architecture);
    const std::uint64_t q = std::uint64_t{options.n_heads} * options.head_width();
    const std::uint64_t kv = std::uint64_t{options.n_kv_heads} * options.head_width();
    const auto add = [&](const char* name, std::uint64_t columns, std::uint64_t rows) {
        add_matrix(builder, options, block + name, columns, rows);
    };
    if (!layer.joint_norms) add_norm(builder, options, block + "attn_norm.weight");
    if (layer.fused) {
        add("attn_qkv.weight", options.dim, q + 2 * kv);
    } else {
        add("attn_q.weight", options.dim, q);
        add("attn_k.weight", options.dim, kv);
        add("attn_v.weight", options.dim, kv);
    }
    add("attn_output.weight", q, options.dim);
    if (layer.biases) {
        add_bias(builder, options, block + "attn_q.bias", q);
        add_bias(builder, options, block + "attn_k.bias", kv);
        add_bias(builder, options, block + "attn_v.bias", kv);
    }
    if (layer.head_norms) {
        add_norm(builder, options, block + "attn_q_norm.weight", options.head_width());
        add_norm(builder, options, block + "attn_k_norm.weight", options.head_width());
    }
    if (layer.joint_norms) {
        add_norm(builder, options, block + "attn_q_norm.weight", q);
        add_norm(builder, options, block + "attn_k_norm.weight", kv);
    }
    if (layer.post_norms) {
        add_norm(builder, options, block + "post_attention_norm.weight");
        add_norm(builder, options, block + "post_ffw_norm.weight");
    }
    const bool is_gpt_oss = options.architecture == "gpt-oss";
    if (is_gpt_oss) {
        add_bias(builder, options, block + "attn_output.bias", options.dim);
        add_bias(builder, options, block + "attn_sinks.weight", options.n_heads);
    }
    if (!layer.joint_norms)
        add_norm(builder, options,
                 block + (is_gpt_oss ? "post_attention_norm.weight" : "ffn_norm.weight"));
    if (options.n_experts > 0) return add_experts(builder, options, block);
    if (!layer.fused) add("ffn_gate.weight", options.dim, options.ffn);
    add("ffn_up.weight", options.dim, (layer.fused ? 2 : 1) * options.ffn);
    add("ffn_down.weight", options.ffn, options.dim);
}

void check(const TinyModel& options) {
    const auto require = [](bool condition, const char* problem) {
        if (!condition) throw std::invalid_argument(problem);
    };
    require(options.n_layers > 0 && options.dim > 0 && options.ffn > 0 && options.context > 0,
            "layers, dim, ffn and context are at least 1");
    require(options.n_heads > 0 && options.n_kv_heads > 0 &&
                options.n_heads % options.n_kv_heads == 0,
            "heads are a multiple of the key-value heads");
    require(options.head_dim != 0 || options.dim % options.n_heads == 0,
            "dim is a multiple of the heads, or the head width is given");
    require(options.n_experts == 0 ||
                (options.n_experts_used > 0 && options.n_experts_used <= options.n_experts),
            "of the experts at least one and at most all are used");
    require(options.n_experts > 0 ||
                (options.architecture != "qwen3moe" && options.architecture != "gpt-oss"),
            "qwen3moe and gpt-oss have experts");
    require(options.head_width() % 2 == 0, "the head width is even");
}

} // namespace

GgufBuilder build_tiny_model(const TinyModel& options) {
    check(options);
    GgufBuilder builder;
    add_hyperparameters(builder, options);
    if (options.bpe)
        set_bpe_vocabulary(builder, tiny_bpe_vocabulary(options.vocab));
    else
        set_spm_vocabulary(builder, tiny_spm_vocabulary(options.vocab));
    add_rope_scaling(builder, options);
    const double output_gain = 2.0;
    add_matrix(builder, options, "token_embd.weight", options.dim, options.vocab,
               options.tied ? output_gain : 1.0);
    for (std::uint32_t layer = 0; layer < options.n_layers; ++layer)
        add_layer(builder, options, layer);
    add_norm(builder, options, "output_norm.weight");
    if (!options.tied)
        add_matrix(builder, options, "output.weight", options.dim, options.vocab, output_gain);
    return builder;
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
}

void write_tiny_model(const std::filesystem::path& path, const TinyModel& options) {
    write_file(path, build_tiny_model(options).bytes());
}

} // namespace pillar::support
