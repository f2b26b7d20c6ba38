#pragma once
// What a forward pass works on: weights, cache, and buffers that are allocated once. Shared by
// transformer.cpp (the pass) and layer.cpp (one layer).

#include "pillar/model/transformer.hpp"

#include <atomic>

namespace pillar::model {

/// Per-thread scratch of attention: scores of one page and the partial results of the page tree.
struct AttentionScratch {
    AttentionScratch(std::size_t head_dim, std::size_t n_pages);
    static std::size_t
    n_levels(std::size_t n_pages) noexcept; ///< of the tree, plus the page being added
    static std::size_t n_floats(std::size_t head_dim, std::size_t n_pages) noexcept;

    struct Level {
        kernels::PartialAttention partial;
        std::size_t n_pages;
    };
    AlignedBuffer<float> scores;  // (256)
    AlignedBuffer<float> outputs; // (levels, head_dim)
    std::vector<Level> levels;
};

/// Activations and intermediate results for up to max_rows rows.
struct Buffers {
    Buffers(const Hyperparameters& h, const partition::Share& share,
            const TransformerOptions& options, std::size_t panel_columns);
    static std::size_t size_bytes(const Hyperparameters& h, const partition::Share& share,
                                  const TransformerOptions& options, int n_threads);

    AlignedBuffer<float> x;    // (max_rows, dim)       the residual, equal on all ranks
    AlignedBuffer<float> q;    // (max_rows, own heads · head_dim)
    AlignedBuffer<float> k;    // (max_rows, own KV heads · head_dim)
    AlignedBuffer<float> v;    // (max_rows, own KV heads · head_dim)
    AlignedBuffer<float> gate; // (max_rows, own hidden columns)
    AlignedBuffer<float> up;   // (max_rows, own hidden columns)
    AlignedBuffer<float>
        partial; // (max_rows, dim)       this rank's share of a row-parallel product
    AlignedBuffer<float> logits; // (max_logit_rows, own vocabulary rows)
    AlignedBuffer<float> cosine; // (max_rows, n_pairs)
    AlignedBuffer<float> sine;   // (max_rows, n_pairs)
    kernels::Activations normed; ///< after a norm: input of q, k, v, gate, up and the output matrix
    kernels::Activations
        attention; ///< heads' results: input of the output projection, cut into slices
    kernels::Activations hidden; ///< after swiglu: input of down, cut into slices
};

struct Transformer::State {
    State(const gguf::File& file, const Hyperparameters& h, const partition::Share& share,
          const kernels::Family& family, const TransformerOptions& options, threads::Team& team,
          LoadProgress progress);

    const gguf::File& file;
    Hyperparameters h;
    partition::Share share;
    const kernels::Family& family;
    TransformerOptions options;
    threads::Team& team;
    LoadBytes load_bytes;
    WeightPlan plan;
    Weights weights;
    RopeTable rope;
    KvCache cache;
    Buffers buffers;
    std::vector<AttentionScratch> scratch;              ///< a thread each
    std::vector<std::vector<std::byte>> embedding_rows; ///< a thread each: one row as in the file

    std::uint64_t residual_hash = 0;
    std::uint64_t embedding_bytes = 0;
    std::atomic<bool> embedding_failed{false};
    std::string error; ///< of the last forward

    [[nodiscard]] std::size_t q_dim() const noexcept { return share.heads.size() * h.head_dim; }
    [[nodiscard]] std::size_t kv_dim() const noexcept { return share.kv_heads.size() * h.head_dim; }
};

/// **Collective.** One layer on every thread of the team: attention block, then feed-forward block,
/// each ended by its all-reduce, which the main thread performs. Starts and ends with all threads
/// seeing the residual in buffers.x.
void compute_layer(Transformer::State& s, threads::Worker worker, comm::Communicator& comm,
                   std::size_t layer, std::span<const Row> rows) noexcept;

/// Final norm and own rows of the output matrix for the rows that want logits, into buffers.logits.
void output_logits(Transformer::State& s, threads::Worker worker,
                   std::span<const Row> rows) noexcept;

} // namespace pillar::model
