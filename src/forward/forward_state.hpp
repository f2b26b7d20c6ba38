#pragma once
// What a forward pass works on: weights, cache, and buffers that are allocated once. Shared by
// transformer.cpp (the pass) and layer.cpp (one layer).

#include "attention/attention.hpp"
#include "blocks/shared_pass.hpp"

#include "pillar/forward/transformer.hpp"

#include <atomic>
#include <vector>

namespace pillar::forward {

/// How the team shares the products of one layer that belong together.
struct LayerPasses {
    SharedPass heads;        ///< query, key and value
    SharedPass feed_forward; ///< gate and up, in units of 32 of their rows
};

/// Activations and intermediate results for up to max_rows rows.
struct Buffers {
    Buffers(const model::Hyperparameters& h, const partition::Share& share,
            const TransformerOptions& options);
    static std::size_t size_bytes(const model::Hyperparameters& h, const partition::Share& share,
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
};

/// Rows of a step that go through the layers together: all of them, or one half of two.
struct Half {
    Half(const model::Hyperparameters& h, const partition::Share& share, std::size_t max_rows,
         std::size_t panel_columns, const AttentionPlan::Shape& plan_shape);

    std::size_t begin = 0;       ///< its first row within the step, and so in the buffers
    std::span<const Row> rows;   ///< of the step at hand
    kernels::Activations normed; ///< after a norm: input of q, k, v, gate, up and the output matrix
    kernels::Activations
        attention; ///< heads' results: input of the output projection, cut into slices
    kernels::Activations hidden; ///< gate, then after swiglu: input of down, cut into slices
    AttentionPlan plan;

    /// For the rows [begin, end) of a step.
    void set_rows(std::span<const Row> all, std::size_t first, std::size_t end);
};

struct Transformer::State {
    State(const gguf::File& file, const model::Hyperparameters& h, const partition::Share& share,
          const kernels::Family& family, const TransformerOptions& options, threads::Team& team,
          model::LoadProgress progress);

    const gguf::File& file;
    model::Hyperparameters h;
    partition::Share share;
    const kernels::Family& family;
    TransformerOptions options;
    threads::Team& team;
    model::LoadBytes load_bytes;
    model::WeightPlan plan;
    model::Weights weights;
    model::RopeTable rope;
    KvCache cache;
    Buffers buffers;
    std::vector<LayerPasses> passes;
    std::vector<Half> halves; ///< two where steps may be cut (first_half), the first for all rows
    std::vector<AttentionScratch> scratch;              ///< a thread each
    std::vector<std::vector<std::byte>> embedding_rows; ///< a thread each: one row as in the file

    /// Of the step at hand, where there are other ranks; the main thread's.
    comm::Communicator* comm = nullptr;
    bool is_moving = false; ///< an all-reduce is under way while the team computes

    std::uint64_t residual_hash = 0;
    std::uint64_t embedding_bytes = 0;
    std::atomic<bool> embedding_failed{false};
    std::string error; ///< of the last forward

    [[nodiscard]] std::size_t q_dim() const noexcept { return share.heads.size() * h.head_dim; }
    [[nodiscard]] std::size_t kv_dim() const noexcept { return share.kv_heads.size() * h.head_dim; }
    /// To be called often by all threads while they compute: messages under way move on, and
    /// whoever asks whether this rank is alive is answered.
    void look_at_messages(threads::Worker worker) const noexcept {
        if (worker.is_main()) look_at_messages();
    }
    void look_at_messages() const noexcept {
        if (comm == nullptr) return;
        if (is_moving) comm->advance_allreduce();
        comm->heartbeat();
    }
    /// Whether a head's columns are whole blocks of activations, which no other head shares.
    [[nodiscard]] bool has_own_blocks() const noexcept {
        return h.head_dim % kernels::block_size == 0;
    }
};

/// half.normed = rms_norm(buffers.x) of its rows, quantised. Ends with a barrier. `prepare` is what
/// has to be done before, for rows [begin, end) of the step: by the thread that goes on with them.
void start_layers(Transformer::State& s, threads::Worker worker, Half& half,
                  FunctionRef<void(Range)> prepare) noexcept;

/// **Collective.** One layer on every thread of the team: attention block, then feed-forward block,
/// each ended by its all-reduce, which the main thread performs. Starts with the norm of the
/// residual in half.normed and ends with the next layer's there.
void compute_layer(Transformer::State& s, threads::Worker worker, comm::Communicator& comm,
                   std::size_t layer, Half& half) noexcept;

/// **Collective.** All layers of a step in two halves: while one's sum is under way the other is
/// computed. The same operations for every row as one layer after the other.
void compute_halves(Transformer::State& s, threads::Worker worker,
                    comm::Communicator& comm) noexcept;

// The parts of a layer, for both.

enum class Block { attention, feed_forward };
/// Up to this rank's share of the sum, in buffers.partial; without a barrier at the end.
void compute_block(Transformer::State& s, threads::Worker worker, Block block, std::size_t layer,
                   Half& half) noexcept;
/// This rank's share of a block's sum, then the sum: (rows of the half, dim).
std::span<float> partial_of(Transformer::State& s, const Half& half) noexcept;
/// What follows a block's sum, for rows [begin, end) of the half: residual, x += sum + bias, and
/// the norm that comes next (none after the last layer).
void add_and_normalise(Transformer::State& s, Block block, std::size_t layer, Half& half,
                       Range rows) noexcept;

/// Final norm and own rows of the output matrix for the rows that want logits, into buffers.logits.
void output_logits(Transformer::State& s, threads::Worker worker,
                   std::span<const Row> rows) noexcept;

} // namespace pillar::forward
