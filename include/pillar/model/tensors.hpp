#pragma once
// The tensors of an architecture: what each is for, its name in the file, its shape, and whether it
// may be missing. One list (Architecture) that files are held against before anything is planned;
// planning, loading, costs and synthetic models go by it too. Code asks for a role, never for a
// name.

#include "pillar/gguf/file.hpp"
#include "pillar/model/hyperparameters.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pillar::model {

/// What a tensor is for.
enum class Role : std::uint8_t {
    ignored, ///< some converters wrote it; nothing is computed with it, its shape does not matter
    // Those that stand once.
    embedding,
    final_norm,
    output, ///< the vocabulary's matrix; without it the embedding is that too
    rope_factors,
    rope_factors_long,  ///< of runs with a longer context than the model was first trained with
    rope_factors_short, ///< of all others
    // Those of a layer.
    attention_norm,
    attention_post_norm, ///< of what the attention block adds
    query,
    key,
    value,
    attention_output,
    feed_forward_norm,
    feed_forward_post_norm, ///< of what the feed-forward block adds
    gate,
    up,
    down,
    query_bias,
    key_bias,
    value_bias,
    query_norm, ///< of each query head, or of all (HeadNorm)
    key_norm,   ///< of each key head, or of all
    attention_output_bias,
    gate_bias,
    up_bias,
    down_bias,
    router,      ///< a row an expert: its score
    expert_gate, ///< of all experts, one after another
    expert_up,
    expert_down,
    router_bias,
    expert_gate_bias, ///< of all experts, one after another
    expert_up_bias,
    expert_down_bias,
    sinks, ///< of each query head: a score that takes a share of the weights and has no value
};
/// Of a model with experts; gate, up, down and their biases are of one without.
bool is_of_experts(Role role) noexcept;

/// How long a dimension is, in terms of the hyperparameters. Queries, keys/values, hidden rows and
/// the vocabulary are shared out to the ranks, the others are whole on each.
enum class Extent : std::uint8_t {
    one,
    dim,
    head,
    queries,
    keys,
    hidden,
    vocabulary,
    rope_pairs,
    experts,
    heads, ///< query heads
};
std::size_t length_of(Extent extent, const Hyperparameters& h) noexcept;

enum class Presence : std::uint8_t { required, optional };

/// How the rows of a matrix of heads (or the elements of a vector) lie in the file. Kernels rotate
/// neighbours (2i, 2i + 1) of a head. Where the file was made for pairs (i, i + n_dims/2), as
/// "NEOX" models are, loading lays the pairs side by side: queries and keys are permuted alike, so
/// their products are the same sums in another order.
enum class RowOrder : std::uint8_t { as_in_file, half_pairs };

/// Row `row` of heads of `head_dim` rows, pairs side by side: where it lies in a file that has
/// pairs (i, i + n_dims/2).
constexpr std::size_t half_pair_row(std::size_t row, std::size_t head_dim,
                                    std::size_t n_dims) noexcept {
    const std::size_t d = row % head_dim;
    return d < n_dims ? row - d + d / 2 + d % 2 * (n_dims / 2) : row;
}

struct TensorSpec {
    Role role = Role::ignored;
    std::string_view name; ///< as in the file; a layer's without "blk.N."
    Presence presence = Presence::required;
    Extent columns = Extent::dim;
    Extent rows = Extent::one; ///< one: a vector
    RowOrder order = RowOrder::as_in_file;
    /// Where one tensor holds the matrices of several roles, one below the other: the rows of each,
    /// and which of them this one is. Every role has a spec of its own with the same name.
    std::span<const Extent> parts = {};
    std::size_t part = 0;
    Extent matrices = Extent::one; ///< how many of that shape lie one after another

    [[nodiscard]] bool is_vector() const noexcept { return rows == Extent::one; }
};

/// Rows of the tensor of a spec, and its first row that is the spec's own.
std::size_t n_tensor_rows(const TensorSpec& spec, const Hyperparameters& h) noexcept;
std::size_t first_tensor_row(const TensorSpec& spec, const Hyperparameters& h) noexcept;

/// "output.weight", or "blk.7.attn_q.weight" of a layer.
std::string tensor_name(std::string_view name, std::optional<std::size_t> layer);

/// Whether a model of these numbers has the tensor at all: a model has experts or one feed-forward.
bool belongs(const TensorSpec& spec, const Hyperparameters& h) noexcept;

/// The tensor of a spec, nullptr where it does not belong to the model, or is missing and may be.
/// Throws FormatError when it is missing, of another shape or of a type that cannot be decoded.
const gguf::TensorInfo* find_tensor(const gguf::File& file, const Hyperparameters& h,
                                    const TensorSpec& spec, std::optional<std::size_t> layer);

/// Holds the file's tensors against the architecture's list: what is missing, misshaped, of a type
/// that cannot be decoded, or not on the list, is a FormatError that names the tensor. Returns one
/// sentence on tensors that are there and not used, empty when there are none.
std::string check_tensors(const gguf::File& file, const Hyperparameters& h);

/// One sentence on formats that every kernel family computes with as the plain ones do, empty when
/// the file has none.
std::string slow_formats(const gguf::File& file);

} // namespace pillar::model
