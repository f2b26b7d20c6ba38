#pragma once
// What one layer computes, in words that several architectures share. An architecture's file says
// them for each of its layers; the code of a layer (src/forward/) branches on these words and never
// on an architecture's name. A word that is new here comes with the code that computes it.

#include <cstddef>
#include <cstdint>

namespace pillar::model {

/// Where the norms of a block (attention, feed-forward) stand.
enum class NormPlacement : std::uint8_t {
    before_block, ///< x += block(norm(x))
    around_block, ///< x += norm(block(norm(x))), each norm with weights of its own
    after_block,  ///< x += norm(block(x))
};

/// What the gate of a feed-forward goes through.
enum class Activation : std::uint8_t {
    silu,      ///< g / (1 + exp(-g)); with the product by up: swiglu
    gelu_tanh, ///< gelu in its form with tanh; with the product by up: geglu
    /// g / (1 + exp(-1.702 g)) times up + 1, both no further than 7 from 0 (gate: above alone).
    silu_clamped,
};

/// What the norm of queries and keys goes over, in layers that have its weights.
enum class HeadNorm : std::uint8_t {
    each,  ///< one head
    joint, ///< all query heads of a row, and all of its key heads: they are on several ranks
};

enum class FeedForward : std::uint8_t {
    gated, ///< W_down · (activation(W_gate · x) ⊙ (W_up · x)), the same matrices for every row
    /// Σ weight · expert over the few of many gated feed-forwards that a router chose for the row:
    /// those with the largest of its scores W_router · x, weighted by the softmax over theirs.
    experts,
};

struct LayerSpec {
    NormPlacement norms = NormPlacement::before_block;
    HeadNorm head_norm = HeadNorm::each;
    FeedForward feed_forward = FeedForward::gated;
    Activation activation = Activation::silu;
    float attention_scale = 1.0f; ///< what a score q · k is multiplied with
    float score_cap = 0.0f;       ///< then cap · tanh(score / cap); 0: scores as they are
    /// A row at position p sees positions [p − window + 1, p]; 0: all up to p.
    std::size_t window = 0;
    std::size_t rope = 0; ///< rotary table: its number in Hyperparameters::ropes
};

} // namespace pillar::model
