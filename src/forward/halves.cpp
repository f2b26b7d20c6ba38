// A step in two halves. They take turns: while one is computed, the sum of the other's last block
// is under way, so that a step takes about as long as the slower of computing and moving bytes.
// Keys and values of the first half are in the cache when the second one attends.

#include "forward_state.hpp"

namespace pillar::forward {

void compute_halves(Transformer::State& s, threads::Worker worker,
                    comm::Communicator& comm) noexcept {
    struct Turn {
        Half* half = nullptr;
        Block block{};
        std::size_t layer = 0;
    };
    Turn under_way; // whose sum is
    const auto end_last = [&] {
        if (under_way.half == nullptr) return;
        const auto [half, block, layer] = under_way;
        add_and_normalise(s, block, layer, *half, worker.share(half->rows.size()));
        worker.barrier();
    };
    const auto finish_last = [&] {
        if (under_way.half != nullptr) comm.finish_allreduce();
    };
    for (std::size_t layer = 0; layer < s.h.n_layers; ++layer) {
        for (const Block block : {Block::attention, Block::feed_forward}) {
            for (Half& half : s.halves) {
                compute_block(s, worker, block, layer, half);
                worker.serial([&] {
                    finish_last();
                    comm.start_allreduce(partial_of(s, half));
                    s.is_moving = true;
                });
                end_last();
                under_way = {&half, block, layer};
            }
        }
    }
    worker.serial([&] {
        finish_last();
        s.is_moving = false;
    });
    end_last();
}

} // namespace pillar::forward
