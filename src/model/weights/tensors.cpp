#include "pillar/model/tensors.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/model/architecture.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>
#include <span>

namespace pillar::model {

namespace {

std::string supported_types() {
    std::string names;
    for (const quant::Type type : quant::all_types) {
        if (!names.empty()) names += ", ";
        names += quant::info(type).name;
    }
    return names;
}

const TensorSpec* find_spec(std::span<const TensorSpec> specs, std::string_view name) {
    const auto spec = std::ranges::find(specs, name, &TensorSpec::name);
    return spec == specs.end() ? nullptr : &*spec;
}

/// "blk.7.attn_q.weight": 7 and "attn_q.weight"; nullopt when the name is no layer's.
struct LayerName {
    std::size_t layer;
    std::string_view name;
};
std::optional<LayerName> layer_name(std::string_view name) {
    constexpr std::string_view prefix = "blk.";
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    LayerName found{};
    const auto [end, failure] =
        std::from_chars(name.data(), name.data() + name.size(), found.layer);
    const auto n_digits = static_cast<std::size_t>(end - name.data());
    const bool is_plain = n_digits == 1 || !name.starts_with('0'); // "blk.07" is nobody's
    if (failure != std::errc() || !is_plain || !name.substr(n_digits).starts_with('.'))
        return std::nullopt;
    found.name = name.substr(n_digits + 1);
    return found;
}

void expect_shape(const gguf::File& file, const Hyperparameters& h, const TensorSpec& spec,
                  const gguf::TensorInfo& tensor) {
    const std::size_t n_columns = length_of(spec.columns, h), n_rows = length_of(spec.rows, h);
    if (tensor.has_shape(n_columns, n_rows)) return;
    const std::string wanted = spec.is_vector() ? fmt::format("[{}]", n_columns)
                                                : fmt::format("[{}, {}]", n_columns, n_rows);
    throw file.error(tensor.name, fmt::format("shape [{}] where the metadata ask for {}",
                                              joined(tensor.shape, ", "), wanted));
}

/// Throws when no spec knows the tensor. True when it is there for nothing.
bool is_ignored(const gguf::File& file, const Hyperparameters& h, const gguf::TensorInfo& tensor) {
    const Architecture& architecture = *h.architecture;
    const auto in_layer = layer_name(tensor.name);
    if (in_layer && in_layer->layer >= h.n_layers)
        throw file.error(tensor.name,
                         fmt::format("a tensor of layer {}, but {}.block_count says {} layers",
                                     in_layer->layer, architecture.name, h.n_layers));
    const TensorSpec* spec = in_layer ? find_spec(architecture.layer_tensors, in_layer->name)
                                      : find_spec(architecture.model_tensors, tensor.name);
    if (spec == nullptr)
        throw file.error(tensor.name,
                         fmt::format("the architecture \"{}\" as it is computed here has no such "
                                     "tensor; without it the answers would be wrong",
                                     architecture.name));
    return spec->role == Role::ignored;
}

} // namespace

std::size_t length_of(Extent extent, const Hyperparameters& h) noexcept {
    switch (extent) {
    case Extent::one:
        return 1;
    case Extent::dim:
        return h.dim;
    case Extent::head:
        return h.head_dim;
    case Extent::queries:
        return h.n_heads * h.head_dim;
    case Extent::keys:
        return h.n_kv_heads * h.head_dim;
    case Extent::hidden:
        return h.hidden_dim;
    case Extent::vocabulary:
        return h.vocab_size;
    case Extent::rope_pairs:
        return h.ropes.front().n_dims / 2;
    }
    return 0;
}

std::string tensor_name(std::string_view name, std::optional<std::size_t> layer) {
    return layer ? fmt::format("blk.{}.{}", *layer, name) : std::string(name);
}

const gguf::TensorInfo* find_tensor(const gguf::File& file, const Hyperparameters& h,
                                    const TensorSpec& spec, std::optional<std::size_t> layer) {
    const std::string name = tensor_name(spec.name, layer);
    const gguf::TensorInfo* tensor = file.find_tensor(name);
    if (tensor == nullptr) {
        if (spec.presence == Presence::required) throw file.error(name, "the tensor is missing");
        return nullptr;
    }
    if (spec.role == Role::ignored) return tensor;
    expect_shape(file, h, spec, *tensor);
    if (tensor->type->decode == nullptr)
        throw file.error(name, fmt::format("type {} is not supported; supported are: {}",
                                           tensor->type->name, supported_types()));
    return tensor;
}

std::string check_tensors(const gguf::File& file, const Hyperparameters& h) {
    const Architecture& architecture = *h.architecture;
    for (const TensorSpec& spec : architecture.model_tensors) find_tensor(file, h, spec, {});
    for (std::size_t layer = 0; layer < h.n_layers; ++layer)
        for (const TensorSpec& spec : architecture.layer_tensors) find_tensor(file, h, spec, layer);
    std::string first;
    std::size_t n_ignored = 0;
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        if (!is_ignored(file, h, tensor)) continue;
        if (n_ignored++ == 0) first = tensor.name;
    }
    if (n_ignored == 0) return {};
    return fmt::format("tensor \"{}\"{} not used: what it holds is computed", printable(first),
                       n_ignored == 1 ? " is" : fmt::format(" and {} more are", n_ignored - 1));
}

} // namespace pillar::model
