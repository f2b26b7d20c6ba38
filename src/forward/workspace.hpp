#pragma once
// What a forward pass writes to: the KV cache, buffers that are allocated once, the division of the
// work among the team's threads, and what the last step has left. The model it computes with is
// another's and never written.

#include "attention.hpp"
#include "blocks/layer_passes.hpp"
#include "experts/expert_buffers.hpp"
#include "kv_caches.hpp"
#include "micro_batch.hpp"

#include "pillar/forward/micro_batches.hpp"
#include "pillar/forward/transformer.hpp"

#include <atomic>
#include <optional>
#include <vector>

namespace pillar::forward {

/// Cosines and sines of one rotary table for the rows of a step, (max_rows, n_pairs) each.
struct RotaryAngles {
    RotaryAngles(std::size_t max_rows, std::size_t pairs)
        : n_pairs(pairs), cosine(max_rows * pairs), sine(max_rows * pairs) {}
    std::size_t n_pairs;
    AlignedBuffer<float> cosine, sine;
};

/// Intermediate results for up to max_rows rows.
struct Buffers {
    Buffers(const model::Model& model, const TransformerOptions& options);

    AlignedBuffer<float> x;       // (max_rows, dim)       the residual, equal on all ranks
    AlignedBuffer<float> q;       // (max_rows, own heads · head_dim)
    AlignedBuffer<float> k;       // (max_rows, own KV heads · head_dim)
    AlignedBuffer<float> v;       // (max_rows, own KV heads · head_dim)
    AlignedBuffer<float> up;      // (max_rows, own hidden columns); empty where there are experts
    AlignedBuffer<float> partial; // (max_rows, dim)  this rank's share of a row-parallel product
    AlignedBuffer<float> logits;  // (max_logit_rows, own vocabulary rows)
    // Of a joint norm of queries and keys, else empty.
    AlignedBuffer<float> head_squares;  // (max_rows, own heads + own KV heads)  of each head
    AlignedBuffer<float> squares;       // (max_rows, squares_a_row)  of all query heads, key heads
    std::vector<RotaryAngles> angles;   ///< one for each rotary table of the model
    AlignedBuffer<float> query_factors; ///< (max_rows) what queries are multiplied with
};

struct Workspace {
    Workspace(const model::Model& model_, const TransformerOptions& options_, threads::Team& team_);
    /// Division of the layers' products and of the attention for the team as it is now.
    void assign_work();

    const model::Model& model;
    const TransformerOptions options;
    threads::Team& team;
    KvCaches cache;
    Buffers buffers;
    std::vector<LayerPasses> passes;
    ExpertBuffers experts;
    std::optional<ActivationSums> sums;    ///< only where they are asked for
    std::vector<MicroBatch> micro_batches; ///< two where steps may be cut; the first for all rows
    std::vector<AttentionScratch> scratch; ///< a thread each
    std::vector<std::vector<std::byte>> embedding_rows; ///< a thread each: one row as in the file

    /// Of the step at hand, where there are other ranks; the main thread's.
    comm::Communicator* comm = nullptr;
    bool is_moving = false; ///< an all-reduce is under way while the team computes

    double layers_begin_s = 0; ///< of the last step, monotonic_s
    std::uint64_t residual_hash = 0;
    std::uint64_t embedding_bytes = 0;
    std::atomic<bool> embedding_failed{false};
    std::string error; ///< of the last step

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
    /// This rank's share of a block's sum, then the sum: (rows of the micro-batch, dim).
    [[nodiscard]] std::span<float> partial_of(const MicroBatch& batch) noexcept {
        return buffers.partial.span().subspan(batch.begin * model.h.dim,
                                              batch.rows.size() * model.h.dim);
    }
    /// Likewise the squares of queries and of keys: (rows of the micro-batch, squares_a_row).
    [[nodiscard]] std::span<float> squares_of(const MicroBatch& batch) noexcept {
        return buffers.squares.span().subspan(batch.begin * squares_a_row,
                                              batch.rows.size() * squares_a_row);
    }
};

} // namespace pillar::forward
