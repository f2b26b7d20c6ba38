#pragma once
// The shapes of well-known models, for benchmarks and plans without their files. Numbers are those
// of the published configurations; they give the official parameter counts.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pillar::synthetic {

struct Shape {
    std::string_view name;  ///< as users write it: "llama-3.2-1b"
    std::string_view title; ///< "Llama-3.2-1B"
    std::size_t dim = 0;
    std::size_t n_layers = 0;
    std::size_t n_heads = 0;
    std::size_t n_kv_heads = 0;
    std::size_t head_dim = 0;
    std::size_t hidden_dim = 0;
    std::size_t vocab_size = 0;
    bool tied = false; ///< the output matrix is the embedding
    std::size_t context_length = 0;
    double rope_base = 10'000.0;
    std::string_view architecture = "llama";
    std::size_t window = 0;      ///< of layers that attend within one
    std::size_t rotary_dims = 0; ///< of a head; 0: all of it
    double logit_scale = 0;      ///< what logits are divided by, where files say it
    std::size_t n_experts = 0;   ///< a layer, hidden_dim wide each; 0: one feed-forward
    std::size_t n_experts_used = 0;
};

std::span<const Shape> shapes() noexcept;
/// By name, in upper or lower case; nullptr when there is none.
const Shape* find_shape(std::string_view name) noexcept;
/// Of a shape cut to its first `n_layers` layers: "llama-3.2-1b@4"; else as it is.
std::string name_of(const Shape& shape);
/// Likewise "Llama-3.2-1B@4".
std::string title_of(const Shape& shape);
/// All names, separated by ", ".
std::string shape_names();

} // namespace pillar::synthetic
