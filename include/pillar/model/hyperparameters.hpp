#pragma once
// A model's numbers as its GGUF metadata give them, checked, in the field's words.

#include "pillar/gguf/file.hpp"
#include "pillar/model/layer_spec.hpp"
#include "pillar/partition/partition.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace pillar::model {

/// Bounds on what metadata may say; each has a test at the limit and beyond.
inline constexpr std::uint64_t max_layers = 1024;
inline constexpr std::uint64_t max_heads = 1024;
inline constexpr std::uint64_t max_head_dim = 512;
inline constexpr std::uint64_t max_dim = 1u << 20;
inline constexpr std::uint64_t max_experts = 512; ///< a layer
inline constexpr std::uint64_t max_vocab_size = 1u << 20;
inline constexpr std::uint64_t max_context = (1u << 31) - 1;

struct Architecture;

enum class RopeScaling { none, linear, yarn };

struct Rope {
    std::size_t n_dims = 0; ///< dimensions of a head that are rotated, even
    double base = 10'000.0; ///< rope_theta
    RopeScaling scaling = RopeScaling::none;
    double factor = 1.0;         ///< positions are divided by it
    double original_context = 0; ///< yarn: context the model was trained with
    double extrapolation = 1.0;  ///< yarn: ext_factor
    double attention_factor = 1.0;
    double magnitude = 0.0; ///< yarn: instead of what its factor gives; 0: that
    double beta_fast = 32.0, beta_slow = 1.0;
    double log_multiplier = 0.0; ///< yarn: the magnitude is divided by 1 + 0.1 · this · ln factor

    bool operator==(const Rope&) const = default;
};

struct Hyperparameters {
    const Architecture* architecture = nullptr; ///< of general.architecture
    std::string name;                           ///< general.name, may be empty
    std::size_t n_layers = 0;
    std::size_t dim = 0; ///< width of the residual
    std::size_t n_heads = 0;
    std::size_t n_kv_heads = 0;     ///< divides n_heads
    std::size_t head_dim = 0;       ///< of queries, keys and values
    std::size_t hidden_dim = 0;     ///< feed-forward width; of one expert where there are experts
    std::size_t n_experts = 0;      ///< a layer; 0: the feed-forward is one for every row
    std::size_t n_experts_used = 0; ///< that a row goes through
    std::size_t vocab_size = 0;
    std::size_t context_length = 0; ///< the model's own
    float norm_eps = 1e-5f;
    std::size_t window = 0;       ///< of layers that attend within one; 0: none do
    std::vector<bool> has_window; ///< (n_layers), where some layers do and others do not
    float embedding_scale = 1.0f; ///< what the embedding is multiplied with
    float residual_scale = 1.0f;  ///< what a block's result is multiplied with before it is added
    /// Queries at position p are multiplied with 1 + temperature_scale · ln(⌊p / length⌋ + 1).
    double temperature_scale = 0.0;
    std::size_t temperature_length = 1;
    float logit_scale = 1.0f; ///< what the logits are multiplied with
    float logit_cap = 0.0f;   ///< then cap · tanh(logit / cap); 0: logits as they are
    float score_scale = 0.0f; ///< what the file says of scores q · k; 0: nothing
    float score_cap = 0.0f;   ///< cap of the scores; 0: none
    /// The run's context is longer than the original one of ropes.front(): rotary factors for long
    /// contexts are taken where the file has them (choose_rope_factors).
    bool is_long_context = false;
    std::vector<Rope> ropes;       ///< rotary tables; the first one is what the shared keys say
    std::vector<LayerSpec> layers; ///< (n_layers)

    [[nodiscard]] partition::Sizes sizes() const noexcept {
        return {n_heads, n_kv_heads, head_dim, hidden_dim, vocab_size};
    }
};

/// Layers whose norm of queries and keys goes over all heads of a row.
std::size_t n_joint_norms(const Hyperparameters& h) noexcept;

/// To be called when the context of the run is known: which of a file's two sets of rotary factors
/// it takes.
void choose_rope_factors(Hyperparameters& h, std::size_t n_context) noexcept;

/// Throws FormatError when the file says that it is something else that GGUF files may hold: an
/// adapter, an importance matrix, the projector of a multimodal model, a control vector.
void expect_model(const gguf::Metadata& metadata);

/// Read and check, expect_model() first. A key that holds one number a layer is taken when they are
/// all the same. Throws FormatError naming the key (with byte offset), also for an architecture
/// that is not supported, which it names together with those that are.
Hyperparameters read_hyperparameters(const gguf::File& file);
/// The same for a file of one of the `known` architectures.
Hyperparameters read_hyperparameters(const gguf::File& file,
                                     std::span<const Architecture* const> known);

} // namespace pillar::model
