#pragma once
// What a forward pass works on: weights, cache, and buffers that are allocated once. Shared by
// transformer.cpp (the pass) and layer.cpp (one layer).

#include "attention.hpp"
#include "shared_pass.hpp"

#include "pillar/model/transformer.hpp"

#include <atomic>

namespace pillar::model {

/// How the team shares the products of one layer that belong together.
struct LayerPasses {
    SharedPass heads;        ///< query, key and value
    SharedPass feed_forward; ///< gate and up, in units of 32 of their rows
};

/// Activations and intermediate results for up to max_rows rows.
struct Buffers {
    Buffers(const Hyperparameters& h, const partition::Share& share,
            const TransformerOptions& options, std::size_t panel_columns);
    static std::size_t size_bytes(const Hyperparameters& h, const partition::Share& share,
                                  const TransformerOptions& options, int n_threads);

    AlignedBuffer<float> x;  // (max_rows, dim)       the residual, equal on all ranks
    AlignedBuffer<float> q;  // (max_rows, own heads · head_dim)
    AlignedBuffer<float> k;  // (max_rows, own KV heads · head_dim)
    AlignedBuffer<float> v;  // (max_rows, own KV heads · head_dim)
    AlignedBuffer<float> up; // (max_rows, own hidden columns)
    AlignedBuffer<float>
        partial; // (max_rows, dim)       this rank's share of a row-parallel product
    AlignedBuffer<float> logits; // (max_logit_rows, own vocabulary rows)
    AlignedBuffer<float> cosine; // (max_rows, n_pairs)
    AlignedBuffer<float> sine;   // (max_rows, n_pairs)
    kernels::Activations normed; ///< after a norm: input of q, k, v, gate, up and the output matrix
    kernels::Activations
        attention; ///< heads' results: input of the output projection, cut into slices
    kernels::Activations hidden; ///< gate, then after swiglu: input of down, cut into slices
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
    std::vector<LayerPasses> passes;
    AttentionPlan attention_plan;                       ///< of the step at hand
    std::vector<AttentionScratch> scratch;              ///< a thread each
    std::vector<std::vector<std::byte>> embedding_rows; ///< a thread each: one row as in the file

    std::uint64_t residual_hash = 0;
    std::uint64_t embedding_bytes = 0;
    std::atomic<bool> embedding_failed{false};
    std::string error; ///< of the last forward

    [[nodiscard]] std::size_t q_dim() const noexcept { return share.heads.size() * h.head_dim; }
    [[nodiscard]] std::size_t kv_dim() const noexcept { return share.kv_heads.size() * h.head_dim; }
    /// Whether a head's columns are whole blocks of activations, which no other head shares.
    [[nodiscard]] bool has_own_blocks() const noexcept {
        return h.head_dim % kernels::block_size == 0;
    }
};

/// buffers.normed = rms_norm(buffers.x) of the step's rows, quantised. Ends with a barrier.
/// `prepare` is what has to be done before, for rows [begin, end): by the thread that goes on with
/// them.
void start_layers(Transformer::State& s, threads::Worker worker, std::size_t n_rows,
                  FunctionRef<void(threads::Range)> prepare) noexcept;

/// **Collective.** One layer on every thread of the team: attention block, then feed-forward block,
/// each ended by its all-reduce, which the main thread performs. Starts with the norm of the
/// residual in buffers.normed and ends with the next layer's there.
void compute_layer(Transformer::State& s, threads::Worker worker, comm::Communicator& comm,
                   std::size_t layer, std::span<const Row> rows) noexcept;

/// Final norm and own rows of the output matrix for the rows that want logits, into buffers.logits.
void output_logits(Transformer::State& s, threads::Worker worker,
                   std::span<const Row> rows) noexcept;

} // namespace pillar::model
