// A step in two micro-batches. They take turns, block by block: while one is computed, the sum of
// the other's last block is under way, so that a step takes about as long as the slower of
// computing and moving bytes. Keys and values of the first are in the cache when the second
// attends.

#include "micro_batches.hpp"

#include "layer.hpp"

#include "pillar/forward/micro_batches.hpp"

namespace pillar::forward {

std::size_t first_micro_batch(std::size_t n_rows, int n_ranks) noexcept {
    if (n_ranks == 1 || n_rows < min_micro_batched_rows) return n_rows;
    return ((n_rows + 1) / 2 + micro_batch_unit - 1) / micro_batch_unit * micro_batch_unit;
}

std::size_t allreduces_a_layer(std::size_t n_rows, int n_ranks, bool has_joint_norm) noexcept {
    return (blocks_a_layer + (has_joint_norm ? 1 : 0)) *
           (first_micro_batch(n_rows, n_ranks) < n_rows ? 2 : 1);
}

void compute_micro_batches(Workspace& ws, threads::Worker worker,
                           comm::Communicator& comm) noexcept {
    struct BlockSum {
        MicroBatch* batch = nullptr;
        Block block{};
        std::size_t layer = 0;
    };
    BlockSum under_way;
    const auto end_last = [&] {
        if (under_way.batch == nullptr) return;
        const auto [batch, block, layer] = under_way;
        use_sum(ws, block, layer, *batch, worker.share(batch->rows.size()));
        worker.barrier();
    };
    const auto finish_last = [&] {
        if (under_way.batch != nullptr) comm.finish_allreduce();
    };
    for (std::size_t layer = 0; layer < ws.model.h.n_layers; ++layer) {
        for (const Block block : blocks_of(ws.model.h.layers[layer])) {
            for (MicroBatch& batch : ws.micro_batches) {
                compute_block(ws, worker, block, layer, batch);
                worker.serial([&] {
                    finish_last();
                    start_sum(ws, comm, block, batch);
                    ws.is_moving = true;
                });
                end_last();
                under_way = {&batch, block, layer};
            }
        }
    }
    worker.serial([&] {
        finish_last();
        ws.is_moving = false;
    });
    end_last();
}

} // namespace pillar::forward
