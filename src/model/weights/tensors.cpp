#include "pillar/model/tensors.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/model/architecture.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>
#include <span>
#include <vector>

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

const TensorSpec* find_spec(std::span<const TensorSpec> specs, std::string_view name,
                            const Hyperparameters& h) {
    const auto spec = std::ranges::find(specs, name, &TensorSpec::name);
    return spec == specs.end() || !belongs(*spec, h) ? nullptr : &*spec;
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
    const std::size_t n_columns = length_of(spec.columns, h), n_rows = n_tensor_rows(spec, h);
    const std::size_t n_matrices = length_of(spec.matrices, h);
    // Vectors of experts are the rows of a matrix.
    if (spec.is_vector() ? tensor.has_shape(n_columns, n_matrices)
                         : tensor.has_shape(n_columns, n_rows, n_matrices))
        return;
    std::vector<std::uint64_t> wanted = {n_columns};
    if (!spec.is_vector()) wanted.push_back(n_rows);
    if (spec.matrices != Extent::one) wanted.push_back(n_matrices);
    throw file.error(tensor.name, fmt::format("shape [{}] where the metadata ask for [{}]",
                                              joined(tensor.shape, ", "), joined(wanted, ", ")));
}

/// Throws when no spec knows the tensor. True when it is there for nothing.
bool is_ignored(const gguf::File& file, const Hyperparameters& h, const gguf::TensorInfo& tensor) {
    const Architecture& architecture = *h.architecture;
    const auto in_layer = layer_name(tensor.name);
    if (in_layer && in_layer->layer >= h.n_layers)
        throw file.error(tensor.name,
                         fmt::format("a tensor of layer {}, but {}.block_count says {} layers",
                                     in_layer->layer, architecture.name, h.n_layers));
    const TensorSpec* spec = in_layer ? find_spec(architecture.layer_tensors, in_layer->name, h)
                                      : find_spec(architecture.model_tensors, tensor.name, h);
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
    case Extent::experts:
        return h.n_experts;
    case Extent::heads:
        return h.n_heads;
    }
    return 0;
}

bool is_of_experts(Role role) noexcept {
    using enum Role;
    constexpr Role of_experts[] = {router,      expert_gate,      expert_up,      expert_down,
                                   router_bias, expert_gate_bias, expert_up_bias, expert_down_bias};
    return std::ranges::find(of_experts, role) != std::end(of_experts);
}

bool belongs(const TensorSpec& spec, const Hyperparameters& h) noexcept {
    using enum Role;
    constexpr Role of_one[] = {gate, up, down, gate_bias, up_bias, down_bias};
    if (is_of_experts(spec.role)) return h.n_experts > 0;
    return h.n_experts == 0 || std::ranges::find(of_one, spec.role) == std::end(of_one);
}

std::size_t n_tensor_rows(const TensorSpec& spec, const Hyperparameters& h) noexcept {
    if (spec.parts.empty()) return length_of(spec.rows, h);
    std::size_t n = 0;
    for (const Extent part : spec.parts) n += length_of(part, h);
    return n;
}

std::size_t first_tensor_row(const TensorSpec& spec, const Hyperparameters& h) noexcept {
    std::size_t n = 0;
    for (const Extent part : spec.parts.first(spec.part)) n += length_of(part, h);
    return n;
}

std::string tensor_name(std::string_view name, std::optional<std::size_t> layer) {
    return layer ? fmt::format("blk.{}.{}", *layer, name) : std::string(name);
}

const gguf::TensorInfo* find_tensor(const gguf::File& file, const Hyperparameters& h,
                                    const TensorSpec& spec, std::optional<std::size_t> layer) {
    if (!belongs(spec, h)) return nullptr;
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
    if (file.find_tensor("rope_freqs.weight") != nullptr &&
        file.find_tensor("rope_factors_long.weight") != nullptr)
        throw file.error("rope_freqs.weight", "the file also has rope_factors_long.weight; of two "
                                              "kinds of rotary factors one must be wrong");
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

std::string slow_formats(const gguf::File& file) {
    std::vector<std::string> names;
    std::uint64_t slow_bytes = 0, all_bytes = 0;
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        all_bytes += tensor.size_bytes;
        if (!quant::is_grid(static_cast<quant::Type>(tensor.type->number))) continue;
        slow_bytes += tensor.size_bytes;
        if (std::ranges::find(names, tensor.type->name) == names.end())
            names.emplace_back(tensor.type->name);
    }
    if (names.empty()) return {};
    return fmt::format("{} of {} of weights are in {}, which plain kernels compute with, slowly; "
                       "Q2_K, Q3_K or Q4_0 are fast",
                       human_bytes(static_cast<double>(slow_bytes)),
                       human_bytes(static_cast<double>(all_bytes)), joined(names, ", "));
}

} // namespace pillar::model
