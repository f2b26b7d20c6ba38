// One transformer layer as one rank computes it, from the norm of the residual to the next layer's.
// Every thread runs these lines; a barrier stands wherever the next step reads what other threads
// have written. What a product is followed by (bias, rotation, activation, quantisation) is done by
// the thread that has the rows, so that it needs no barrier of its own.
//
// Matrices of a block's start hold own rows (column parallel), those of its end own columns (row
// parallel): only the end's products are sums over ranks.

#include "layer.hpp"

#include "blocks/feed_forward.hpp"
#include "blocks/norms.hpp"
#include "blocks/products.hpp"
#include "experts/experts.hpp"
#include "heads/joint_norm.hpp"
#include "heads/query_key_value.hpp"

#include "pillar/forward/micro_batches.hpp"

namespace pillar::forward {

using threads::Worker;

namespace {

constexpr Block with_joint_norm[] = {Block::joint_norm, Block::attention, Block::feed_forward};

bool has_joint_norm(const Workspace& ws, std::size_t layer) noexcept {
    return ws.model.h.layers[layer].head_norm == model::HeadNorm::joint;
}

/// W_output · attention(rope(W_q · normed), rope(W_k · normed), W_v · normed). After a joint norm
/// queries, keys and values are there.
void attention_block(Workspace& ws, Worker worker, std::size_t layer, MicroBatch& batch) noexcept {
    if (ws.sums) ws.sums->add(Input::attention_normed, layer, batch.normed, worker);
    if (!has_joint_norm(ws, layer)) {
        project_query_key_value(ws, worker, layer, batch); // bias, rotation, into the cache
        worker.barrier();
    }
    compute_attention(ws, worker, layer, batch);
    worker.barrier();
    if (must_join_attention(ws, layer, batch)) {
        join_attention(ws, worker, layer, batch);
        worker.barrier();
    }
    if (ws.sums) ws.sums->add(Input::head_results, layer, batch.attention, worker);
    multiply_share(ws, worker, ws.model.weights.layers[layer].output, batch.attention,
                   ws.partial_of(batch).data(), ws.model.h.dim);
}

/// W_down · (activation(W_gate · normed) ⊙ (W_up · normed)), or the sum of the chosen experts'.
void feed_forward_block(Workspace& ws, Worker worker, std::size_t layer,
                        MicroBatch& batch) noexcept {
    if (ws.sums) ws.sums->add(Input::feed_forward_normed, layer, batch.normed, worker);
    switch (ws.model.h.layers[layer].feed_forward) {
    case model::FeedForward::gated:
        project_gate_and_up(ws, worker, layer, batch); // bias, activation
        worker.barrier();
        if (ws.sums) ws.sums->add(Input::hidden, layer, batch.hidden, worker);
        multiply_share(ws, worker, ws.model.weights.layers[layer].down, batch.hidden,
                       ws.partial_of(batch).data(), ws.model.h.dim);
        break;
    case model::FeedForward::experts:
        route(ws, worker, layer, batch);
        project_experts(ws, worker, layer); // activation
        worker.barrier();
        if (ws.sums) sum_expert_activations(ws, worker, layer, batch);
        add_up_experts(ws, worker, layer, batch);
    }
}

/// The sum over all ranks, the residual and the next norm. Those of a few rows are not worth a
/// barrier: the main thread does them while the others wait for the all-reduce.
void sum_block(Workspace& ws, Worker worker, comm::Communicator& comm, Block block,
               std::size_t layer, MicroBatch& batch) noexcept {
    const std::size_t n_rows = batch.rows.size();
    const bool is_few = n_rows <= few_rows;
    worker.serial([&] {
        if (block == Block::joint_norm) {
            add_up_squares(ws, batch);
            comm.exact_allreduce(ws.squares_of(batch));
        } else {
            comm.allreduce(ws.partial_of(batch));
        }
        if (is_few) use_sum(ws, block, layer, batch, {0, n_rows});
    });
    if (is_few) return;
    use_sum(ws, block, layer, batch, worker.share(n_rows));
    worker.barrier();
}

} // namespace

std::span<const Block> blocks_of(const model::LayerSpec& layer) noexcept {
    const std::span<const Block> all(with_joint_norm);
    return layer.head_norm == model::HeadNorm::joint ? all : all.subspan(1);
}

void compute_layer(Workspace& ws, Worker worker, comm::Communicator& comm, std::size_t layer,
                   MicroBatch& batch) noexcept {
    for (const Block block : blocks_of(ws.model.h.layers[layer])) {
        compute_block(ws, worker, block, layer, batch);
        sum_block(ws, worker, comm, block, layer, batch);
    }
}

void compute_block(Workspace& ws, Worker worker, Block block, std::size_t layer,
                   MicroBatch& batch) noexcept {
    switch (block) {
    case Block::joint_norm:
        return project_query_key_value(ws, worker, layer, batch);
    case Block::attention:
        return attention_block(ws, worker, layer, batch);
    case Block::feed_forward:
        return feed_forward_block(ws, worker, layer, batch);
    }
}

void start_sum(Workspace& ws, comm::Communicator& comm, Block block, MicroBatch& batch) noexcept {
    if (block != Block::joint_norm) return comm.start_allreduce(ws.partial_of(batch));
    add_up_squares(ws, batch);
    comm.start_exact_allreduce(ws.squares_of(batch));
}

void use_sum(Workspace& ws, Block block, std::size_t layer, MicroBatch& batch,
             Range rows) noexcept {
    if (block == Block::joint_norm) return normalise_all_heads(ws, layer, batch, rows);
    const std::vector<model::LayerWeights>& layers = ws.model.weights.layers;
    const bool is_attention = block == Block::attention, is_last = layer + 1 == layers.size();
    const model::LayerWeights& mine = layers[layer];
    const BlockEnd end = is_attention ? BlockEnd{mine.output_bias, mine.attention_post_norm}
                                      : BlockEnd{mine.down_bias, mine.feed_forward_post_norm};
    for (std::size_t r = rows.begin; r < rows.end; ++r) { // row by row: it stays in the cache
        if (!is_attention) add_expert_biases(ws, layer, batch, r);
        add_residual(ws, end, batch, r);
        if (is_attention)
            norm_before_block(ws, layer, mine.feed_forward_norm, batch, r);
        else if (!is_last)
            norm_before_block(ws, layer + 1, layers[layer + 1].attention_norm, batch, r);
    }
}

std::size_t barriers_a_layer(std::size_t n_rows, int n_ranks, bool has_experts,
                             bool has_joint_norm) noexcept {
    // After query, key, value; after attention; after gate and up; the two all-reduces; of many
    // rows two more, after the norms. Of experts: the choice for a few rows; of many after the
    // router, after the choice, after gathering. A joint norm has the sum of its squares after
    // query, key, value, and is a step of its own for many rows. In two micro-batches all of them
    // twice.
    if (n_rows <= few_rows) return has_experts ? 6 : 5;
    const std::size_t once = (has_experts ? 10 : 7) + (has_joint_norm ? 1 : 0);
    return first_micro_batch(n_rows, n_ranks) < n_rows ? 2 * once : once;
}

} // namespace pillar::forward
