// The directory that a file of the model would have: the embedding, the layers, what follows them,
// by the architecture's list. Each tensor's bytes are made from its name.

#include "pillar/synthetic/synthetic.hpp"

#include "synthetic_vocabulary.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/hash.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/writer.hpp"
#include "pillar/model/architecture.hpp"
#include "pillar/quant/synthetic.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/core.h>
#include <memory>

namespace pillar::synthetic {

namespace {

using gguf::ValueType;
using model::Architecture;
using model::Extent;
using model::Hyperparameters;
using model::length_of;
using model::Role;
using model::TensorSpec;
using quant::MatrixRole;

/// Weights by the place of their tensor in the would-be file, ascending.
struct Source {
    std::uint64_t offset;
    quant::SyntheticWeights weights;
};

/// What the rules of a mix call a matrix.
MatrixRole mix_role(const TensorSpec& spec) {
    const Role role = spec.role;
    if (!spec.parts.empty())
        return role == Role::query ? MatrixRole::attention_qkv : MatrixRole::ffn_up;
    switch (role) {
    case Role::embedding:
        return MatrixRole::token_embedding;
    case Role::output:
        return MatrixRole::output;
    case Role::query:
        return MatrixRole::attention_q;
    case Role::key:
        return MatrixRole::attention_k;
    case Role::value:
        return MatrixRole::attention_v;
    case Role::attention_output:
        return MatrixRole::attention_output;
    case Role::gate:
    case Role::expert_gate:
        return MatrixRole::ffn_gate;
    case Role::up:
    case Role::expert_up:
        return MatrixRole::ffn_up;
    case Role::down:
    case Role::expert_down:
        return MatrixRole::ffn_down;
    default:
        break;
    }
    expects(false, "the rules of a mix know every matrix");
    return MatrixRole::output;
}

/// What the tensors' extents are told from.
Hyperparameters hyperparameters_of(const Shape& shape) {
    Hyperparameters h;
    h.n_layers = shape.n_layers;
    h.dim = shape.dim;
    h.n_heads = shape.n_heads;
    h.n_kv_heads = shape.n_kv_heads;
    h.head_dim = shape.head_dim;
    h.hidden_dim = shape.hidden_dim;
    h.n_experts = shape.n_experts;
    h.n_experts_used = shape.n_experts_used;
    h.vocab_size = shape.vocab_size;
    return h;
}

bool is_bias(Role role) {
    using enum Role;
    constexpr Role biases[] = {
        query_bias,     key_bias,         value_bias,  gate_bias,
        up_bias,        down_bias,        router_bias, expert_gate_bias,
        expert_up_bias, expert_down_bias, sinks,       attention_output_bias};
    return std::ranges::find(biases, role) != std::end(biases);
}

class Builder {
  public:
    Builder(const Shape& shape, quant::Mix mix, const Architecture& architecture)
        : shape_(shape), architecture_(architecture), h_(hyperparameters_of(shape)), mix_(mix),
          name_(fmt::format("{}:{}", name_of(shape), quant::info(mix).name)),
          rules_{shape.n_layers, shape.n_heads / shape.n_kv_heads, shape.tied, shape.n_experts} {}

    gguf::File build() {
        directory_.version = 3;
        directory_.metadata = gguf::Metadata(name_);
        add_metadata();
        add_vocabulary(directory_.metadata, shape_.vocab_size);
        add_tensors();
        directory_.header_hash = hash_bytes(std::as_bytes(std::span(name_)));
        auto sources = std::make_shared<const std::vector<Source>>(std::move(sources_));
        return {name_, std::move(directory_),
                [sources](const gguf::TensorInfo& tensor, std::uint64_t begin,
                          std::span<std::byte> out) {
                    std::ranges::lower_bound(*sources, tensor.offset, {}, &Source::offset)
                        ->weights.fill(begin, out);
                }};
    }

  private:
    void add_metadata();
    void add_tensors();
    void add(const TensorSpec& spec, std::optional<std::size_t> layer);
    void add_tensor(const std::string& name, quant::Type type,
                    std::vector<std::uint64_t> dimensions, quant::SyntheticWeights weights);
    void set(std::string key, ValueType type, decltype(gguf::Value::value) value) {
        directory_.metadata.add(std::move(key), {.type = type, .value = std::move(value)});
    }
    void set(const std::string& key, std::size_t value) {
        set(key_of(key), ValueType::uint32, static_cast<std::uint32_t>(value));
    }
    std::string key_of(std::string_view key) const {
        return fmt::format("{}.{}", architecture_.name, key);
    }
    std::uint64_t seed_of(const std::string& tensor) const {
        return hash_bytes(std::as_bytes(std::span(tensor)));
    }

    const Shape& shape_;
    const Architecture& architecture_;
    Hyperparameters h_; ///< its sizes
    quant::Mix mix_;
    std::string name_;
    quant::MixModel rules_;
    gguf::Directory directory_;
    std::vector<Source> sources_;
    std::uint64_t end_ = 0; ///< of the tensors so far; no header stands before them
};

void Builder::add_metadata() {
    set("general.architecture", ValueType::string, std::string(architecture_.name));
    set("general.name", ValueType::string, fmt::format("{} (synthetic)", title_of(shape_)));
    set("general.file_type", ValueType::uint32, quant::info(mix_).file_type);
    set("general.quantization_version", ValueType::uint32, std::uint32_t{2});
    set("block_count", shape_.n_layers);
    set("context_length", shape_.context_length);
    set("embedding_length", shape_.dim);
    set("feed_forward_length", shape_.hidden_dim);
    if (shape_.n_experts > 0) {
        set("expert_count", shape_.n_experts);
        set("expert_used_count", shape_.n_experts_used);
        set("expert_feed_forward_length", shape_.hidden_dim);
    }
    set("attention.head_count", shape_.n_heads);
    set("attention.head_count_kv", shape_.n_kv_heads);
    set("attention.key_length", shape_.head_dim);
    set("attention.value_length", shape_.head_dim);
    set("rope.dimension_count", shape_.rotary_dims == 0 ? shape_.head_dim : shape_.rotary_dims);
    set("vocab_size", shape_.vocab_size);
    set(key_of("attention.layer_norm_rms_epsilon"), ValueType::float32, 1e-5f);
    if (shape_.window > 0) set("attention.sliding_window", shape_.window);
    if (shape_.logit_scale > 0)
        set(key_of("logit_scale"), ValueType::float32, static_cast<float>(shape_.logit_scale));
    set(key_of("rope.freq_base"), ValueType::float32, static_cast<float>(shape_.rope_base));
}

void Builder::add_tensors() {
    const auto is_embedding = [](const TensorSpec& spec) { return spec.role == Role::embedding; };
    for (const TensorSpec& spec : architecture_.model_tensors)
        if (is_embedding(spec)) add(spec, {});
    for (std::size_t layer = 0; layer < shape_.n_layers; ++layer)
        for (const TensorSpec& spec : architecture_.layer_tensors) add(spec, layer);
    for (const TensorSpec& spec : architecture_.model_tensors)
        if (!is_embedding(spec)) add(spec, {});
}

/// What a model of the shape has. The spread of a matrix keeps the size of what it is multiplied
/// with; those of the vocabulary have twice that.
void Builder::add(const TensorSpec& spec, std::optional<std::size_t> layer) {
    const bool is_output = spec.role == Role::output;
    if (is_output ? shape_.tied : spec.presence == model::Presence::optional) return;
    if (!model::belongs(spec, h_)) return;
    if (spec.part > 0) return; // it is there already, for the first of its roles
    const std::string name = model::tensor_name(spec.name, layer);
    const std::size_t n_columns = length_of(spec.columns, h_);
    std::vector<std::uint64_t> dimensions = {n_columns};
    if (!spec.is_vector()) dimensions.push_back(model::n_tensor_rows(spec, h_));
    if (spec.matrices != Extent::one) dimensions.push_back(length_of(spec.matrices, h_));
    if (spec.is_vector())
        return add_tensor(name, quant::Type::f32, std::move(dimensions),
                          is_bias(spec.role)
                              ? quant::SyntheticWeights(quant::Type::f32, seed_of(name), 0.1)
                              : quant::SyntheticWeights::norm(seed_of(name)));
    // A router is never quantised.
    const quant::Type type =
        spec.role == Role::router
            ? quant::Type::f32
            : quant::type_in(mix_, mix_role(spec), layer.value_or(0), n_columns, rules_);
    const double gain = is_output || spec.role == Role::embedding ? 2.0 : 1.0;
    const double deviation = gain / std::sqrt(static_cast<double>(n_columns));
    add_tensor(name, type, std::move(dimensions),
               quant::SyntheticWeights(type, seed_of(name), deviation));
}

void Builder::add_tensor(const std::string& name, quant::Type type,
                         std::vector<std::uint64_t> dimensions, quant::SyntheticWeights weights) {
    gguf::TensorInfo tensor;
    tensor.name = name;
    tensor.type = &quant::info(type);
    tensor.shape = std::move(dimensions);
    tensor.offset = end_;
    tensor.size_bytes = tensor.n_elements() / tensor.type->block_weights * tensor.type->block_bytes;
    end_ = *checked_round_up<std::uint64_t>(end_ + tensor.size_bytes, directory_.alignment);
    sources_.push_back({tensor.offset, weights});
    directory_.tensors.push_back(std::move(tensor));
}

/// "llama-3.2-1b", or "llama-3.2-1b@4" of its first four layers.
Shape parse_shape(const std::string& text) {
    const std::size_t at = text.rfind('@');
    const Shape* whole = find_shape(text.substr(0, at));
    if (whole == nullptr)
        throw UsageError(fmt::format("no shape \"{}\"; there are: {}",
                                     printable(text.substr(0, at)), shape_names()));
    Shape shape = *whole;
    if (at == std::string::npos) return shape;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + at + 1, end, shape.n_layers);
    if (error != std::errc() || stop != end || shape.n_layers == 0 ||
        shape.n_layers > whole->n_layers)
        throw UsageError(fmt::format("\"{}\": write {}@N, N from 1 to its {} layers",
                                     printable(text), whole->name, whole->n_layers));
    return shape;
}

std::string mix_names() {
    std::string names;
    for (const quant::MixInfo& mix : quant::mixes())
        names += (names.empty() ? "" : ", ") + std::string(mix.name);
    return names;
}

} // namespace

SyntheticName parse_synthetic_name(const std::string& name) {
    const std::size_t colon = name.rfind(':');
    const Shape shape = parse_shape(name.substr(0, colon));
    if (colon == std::string::npos)
        throw UsageError(fmt::format("\"{0}\" names no type; write {0}:q4_0, or one of: {1}",
                                     printable(name), mix_names()));
    const quant::MixInfo* mix = quant::find_mix(std::string_view(name).substr(colon + 1));
    if (mix == nullptr)
        throw UsageError(fmt::format("no type \"{}\"; there are: {}",
                                     printable(name.substr(colon + 1)), mix_names()));
    return {name, shape, mix->mix};
}

gguf::File synthetic_model(const Shape& shape, quant::Mix mix) {
    const Architecture* architecture =
        model::find_architecture(model::architectures(), shape.architecture);
    expects(architecture != nullptr, "a shape's architecture is computed");
    return synthetic_model(shape, mix, *architecture);
}

gguf::File synthetic_model(const Shape& shape, quant::Mix mix, const Architecture& architecture) {
    return Builder(shape, mix, architecture).build();
}

void write_model(const gguf::File& model, const std::filesystem::path& path) {
    gguf::Writer writer(path);
    for (const auto& [key, value] : model.metadata().entries()) writer.add(key, value);
    for (const gguf::TensorInfo& tensor : model.tensors())
        writer.declare(tensor.name, static_cast<quant::Type>(tensor.type->number), tensor.shape);
    std::vector<std::byte> piece(std::size_t{4} << 20);
    for (const gguf::TensorInfo& tensor : model.tensors())
        for (std::uint64_t at = 0; at < tensor.size_bytes; at += piece.size()) {
            const auto n = std::min<std::uint64_t>(piece.size(), tensor.size_bytes - at);
            model.read(tensor, at, std::span(piece).first(n));
            writer.write(std::span(piece).first(n));
        }
    writer.close();
}

} // namespace pillar::synthetic
