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

const TensorRule* find_rule(std::span<const TensorRule> rules, std::string_view name) {
    const auto rule = std::ranges::find(rules, name, &TensorRule::name);
    return rule == rules.end() ? nullptr : &*rule;
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

void expect_shape(const gguf::File& file, const Hyperparameters& h, const TensorRule& rule,
                  const gguf::TensorInfo& tensor) {
    const std::size_t n_columns = length_of(rule.columns, h), n_rows = length_of(rule.rows, h);
    if (tensor.has_shape(n_columns, n_rows)) return;
    const std::string wanted = rule.is_vector() ? fmt::format("[{}]", n_columns)
                                                : fmt::format("[{}, {}]", n_columns, n_rows);
    throw file.error(tensor.name, fmt::format("shape [{}] where the metadata ask for {}",
                                              joined(tensor.shape, ", "), wanted));
}

/// Throws when no rule knows the tensor. True when it is there for nothing.
bool is_ignored(const gguf::File& file, const Hyperparameters& h, const Architecture& architecture,
                const gguf::TensorInfo& tensor) {
    const auto in_layer = layer_name(tensor.name);
    if (in_layer && in_layer->layer >= h.n_layers)
        throw file.error(tensor.name,
                         fmt::format("a tensor of layer {}, but {}.block_count says {} layers",
                                     in_layer->layer, h.architecture, h.n_layers));
    const TensorRule* rule = in_layer ? find_rule(architecture.layer_tensors, in_layer->name)
                                      : find_rule(architecture.model_tensors, tensor.name);
    if (rule == nullptr)
        throw file.error(tensor.name,
                         fmt::format("the architecture \"{}\" as it is computed here has no such "
                                     "tensor; without it the answers would be wrong",
                                     h.architecture));
    return rule->presence == Presence::ignored;
}

} // namespace

std::size_t length_of(Extent extent, const Hyperparameters& h) noexcept {
    switch (extent) {
    case Extent::one:
        return 1;
    case Extent::dim:
        return h.dim;
    case Extent::queries:
        return h.n_heads * h.head_dim;
    case Extent::keys:
        return h.n_kv_heads * h.head_dim;
    case Extent::hidden:
        return h.hidden_dim;
    case Extent::vocabulary:
        return h.vocab_size;
    case Extent::rope_pairs:
        return h.rope.n_dims / 2;
    }
    return 0;
}

const TensorRule& rule_of(const Hyperparameters& h, std::string_view name, bool in_layer) {
    const Architecture& architecture = architecture_of(h);
    const TensorRule* rule =
        find_rule(in_layer ? architecture.layer_tensors : architecture.model_tensors, name);
    expects(rule != nullptr, "the architecture's list has the tensor");
    return *rule;
}

std::string tensor_name(std::string_view name, std::optional<std::size_t> layer) {
    return layer ? fmt::format("blk.{}.{}", *layer, name) : std::string(name);
}

const gguf::TensorInfo* find_tensor(const gguf::File& file, const Hyperparameters& h,
                                    const TensorRule& rule, std::optional<std::size_t> layer) {
    const std::string name = tensor_name(rule.name, layer);
    const gguf::TensorInfo* tensor = file.find_tensor(name);
    if (tensor == nullptr) {
        if (rule.presence == Presence::required) throw file.error(name, "the tensor is missing");
        return nullptr;
    }
    if (rule.presence == Presence::ignored) return tensor;
    expect_shape(file, h, rule, *tensor);
    if (tensor->type->decode == nullptr)
        throw file.error(name, fmt::format("type {} is not supported; supported are: {}",
                                           tensor->type->name, supported_types()));
    return tensor;
}

std::string check_tensors(const gguf::File& file, const Hyperparameters& h) {
    const Architecture& architecture = architecture_of(h);
    for (const TensorRule& rule : architecture.model_tensors) find_tensor(file, h, rule, {});
    for (std::size_t layer = 0; layer < h.n_layers; ++layer)
        for (const TensorRule& rule : architecture.layer_tensors) find_tensor(file, h, rule, layer);
    std::string first;
    std::size_t n_ignored = 0;
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        if (!is_ignored(file, h, architecture, tensor)) continue;
        if (n_ignored++ == 0) first = tensor.name;
    }
    if (n_ignored == 0) return {};
    return fmt::format("tensor \"{}\"{} not used: what it holds is computed", printable(first),
                       n_ignored == 1 ? " is" : fmt::format(" and {} more are", n_ignored - 1));
}

} // namespace pillar::model
