// The rules of a layer count the matrices of a kind that came before, in the order of layers and
// names: so do these, whatever the order in the file.

#include "rules/layer_rules.hpp"

#include "rules/tensor_names.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <numeric>
#include <regex>
#include <tuple>

namespace pillar::quantize {

namespace {

using quant::MatrixRole;
using quant::Mix;
using quant::Type;

/// Architectures for whose tensors llama.cpp has rules that are not here.
constexpr std::string_view special_architectures[] = {"falcon", "glm5-next", "bailingmoe3"};

constexpr std::uint64_t most_layers = 65'536;

/// Of an integer that some models give layer by layer: the first layer's.
std::optional<std::uint64_t> first_integer(const gguf::Metadata& metadata, const std::string& key) {
    const gguf::Value* value = metadata.find(key);
    if (value == nullptr) return std::nullopt;
    if (value->type != gguf::ValueType::array) return metadata.integer(key, 0, UINT32_MAX);
    const auto all = metadata.integers(key);
    if (!all || all->empty() || all->front() < 0)
        throw metadata.error(key, "holds no number for the first layer");
    return static_cast<std::uint64_t>(all->front());
}

class Rules {
  public:
    Rules(const gguf::File& model, const Options& options);
    Choice choose(const gguf::TensorInfo& tensor);

  private:
    [[nodiscard]] std::optional<Type> named_type(const std::string& name) const;
    [[nodiscard]] Type wanted(const gguf::TensorInfo& tensor);
    [[nodiscard]] Type rule_of(const gguf::TensorInfo& tensor, std::optional<MatrixRole> role);
    [[nodiscard]] Type output_type(const gguf::TensorInfo& tensor) const;
    [[nodiscard]] Type embedding_type() const;
    [[nodiscard]] std::size_t place(MatrixRole role, const std::string& name);

    const Options& options_;
    Type base_;
    bool is_tied_;
    quant::MixModel model_;
    std::size_t n_values_ = 0; ///< matrices with the rules of attention's value
    std::vector<std::pair<std::regex, Type>> patterns_;
    std::size_t n_before_[16] = {}; ///< by role
};

Rules::Rules(const gguf::File& file, const Options& options)
    : options_(options), base_(quant::info(options.mix).base),
      is_tied_(file.find_tensor("output.weight") == nullptr) {
    const gguf::Metadata& metadata = file.metadata();
    const std::string* architecture = metadata.string("general.architecture");
    if (architecture == nullptr)
        throw file.error("general.architecture",
                         "is absent: only models can be quantised, and this file says of no model "
                         "what it is");
    if (std::ranges::find(special_architectures, *architecture) != std::end(special_architectures))
        throw Error(ExitCode::refused,
                    fmt::format("{}: models of the architecture {} have rules of their own, which "
                                "quantize does not know; use llama.cpp's llama-quantize",
                                printable(file.path()), *architecture));
    const auto key = [&](const char* name) { return *architecture + "." + name; };
    model_.n_layers = metadata.integer(key("block_count"), 0, most_layers).value_or(0);
    const std::uint64_t n_heads = first_integer(metadata, key("attention.head_count")).value_or(0);
    const std::uint64_t n_kv =
        first_integer(metadata, key("attention.head_count_kv")).value_or(n_heads);
    model_.heads_per_kv_head = n_kv == 0 ? 0 : n_heads / n_kv;
    model_.n_experts = metadata.integer(key("expert_count"), 0, UINT32_MAX).value_or(0);
    model_.has_importance = !options.importance.empty();
    const bool has_shared_heads = *architecture == "llama" ? n_kv != n_heads : true;
    model_.is_70b = (*architecture == "llama" || *architecture == "qwen2") &&
                    model_.n_layers == 80 && has_shared_heads;
    for (const gguf::TensorInfo& tensor : file.tensors())
        if (role_of(tensor.name) == MatrixRole::attention_v) ++n_values_;
    for (const auto& [pattern, type] : options.tensor_types) try {
            patterns_.emplace_back(std::regex(pattern), type);
        } catch (const std::regex_error& error) {
            throw UsageError(fmt::format("--tensor-type {}: no regular expression: {}",
                                         printable(pattern), error.what()));
        }
}

std::optional<Type> Rules::named_type(const std::string& name) const {
    for (const auto& [pattern, type] : patterns_)
        if (std::regex_search(name, pattern)) return type;
    return std::nullopt;
}

/// How many of the kind came before. Experts' matrices may lie in several tensors a layer: there
/// the layer counts.
std::size_t Rules::place(MatrixRole role, const std::string& name) {
    const std::size_t before = n_before_[static_cast<std::size_t>(role)]++;
    return model_.n_experts > 1 && role != MatrixRole::attention_v ? layer_of(name).value_or(before)
                                                                   : before;
}

/// Also of the embedding where that is the output matrix.
Type Rules::output_type(const gguf::TensorInfo& tensor) const {
    if (options_.output_type) return *options_.output_type;
    if (base_ == Type::mxfp4 || base_ == Type::q8_0) return Type::q8_0;
    const bool is_divided = tensor.n_columns() % quant::info(base_).block_weights == 0;
    return is_divided ? Type::q6_k : Type::q8_0;
}

Type Rules::embedding_type() const {
    switch (base_) {
    case Type::tq1_0:
    case Type::tq2_0:
    case Type::q2_0:
        return Type::q4_k;
    default:
        return base_;
    }
}

Type Rules::rule_of(const gguf::TensorInfo& tensor, std::optional<MatrixRole> role) {
    if (role == MatrixRole::output || (is_tied_ && role == MatrixRole::token_embedding))
        return output_type(tensor);
    if (options_.experts_alone)
        return tensor.shape.size() > 2 && tensor.shape[2] > 1 ? base_ : Type::q8_0;
    if (role == MatrixRole::token_embedding) return embedding_type();
    if (!role || base_ == Type::mxfp4) return base_;
    quant::MixModel model = model_;
    if (role == MatrixRole::attention_v) model.n_layers = n_values_;
    // columns that every format divides: what does not fit is the caller's
    return quant::type_in(options_.mix, *role, place(*role, tensor.name), 256, model);
}

Type Rules::wanted(const gguf::TensorInfo& tensor) {
    const std::optional<MatrixRole> role = role_of(tensor.name);
    const std::optional<Type> named = named_type(tensor.name);
    if (role == MatrixRole::token_embedding && options_.embedding_type)
        return named && tensor.name != "token_embd.weight" ? *named : *options_.embedding_type;
    if (role == MatrixRole::output && options_.output_type) return *options_.output_type;
    if (named) return *named;
    return options_.pure || quant::is_float(base_) ? base_ : rule_of(tensor, role);
}

Choice Rules::choose(const gguf::TensorInfo& tensor) {
    const auto source = static_cast<Type>(tensor.type->number);
    if (!is_quantised(tensor) || (options_.leave_output && tensor.name == "output.weight"))
        return {source, false};
    const Type type = wanted(tensor);
    const Type fitting = quant::fitting_type(type, tensor.n_columns());
    return {fitting, fitting != type};
}

} // namespace

std::vector<Choice> choose_types(const gguf::File& model, const Options& options) {
    const std::vector<gguf::TensorInfo>& tensors = model.tensors();
    std::vector<std::size_t> order(tensors.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) {
        const auto layer = layer_of(tensors[i].name); // those without one come first
        return std::tuple(layer ? *layer + 1 : 0, std::string_view(tensors[i].name));
    });
    Rules rules(model, options);
    std::vector<Choice> choices(tensors.size());
    for (const std::size_t i : order) choices[i] = rules.choose(tensors[i]);
    return choices;
}

} // namespace pillar::quantize
