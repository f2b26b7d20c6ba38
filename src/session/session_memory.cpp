// What fits where: the split of the model and of the draft model, the pool of pages, the memory
// check.

#include "pillar/session/session.hpp"

#include "draft_model.hpp"

#include "pillar/cache/page_tables.hpp"
#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>

namespace pillar::session {

using log::Level;

/// Collective. After the threads and the family, with which auto measures.
void Session::place_model(const forward::TransformerOptions& wanted, const ModelOptions& options,
                          const engine::LoopOptions& loop) {
    if (options.played) {
        placement_.weights = options.split.weights;
        comm::agree(*comm_, [&] {
            share_ = partition::share_of(h_.sizes(), options.played->rank, options.played->n_ranks,
                                         placement_.weights);
        });
        return;
    }
    // What does not change with the weights is the other model, split evenly until it is placed.
    const auto need = [&](int rank, int n_threads, std::span<const double> weights) {
        forward::MemoryNeed all = rank_need(*file_, h_, *family_, options, wanted, loop, n_threads,
                                            rank, comm_->size(), weights);
        if (draft_)
            all.buffers +=
                draft_->need(*family_, options, wanted, loop, n_threads, rank, comm_->size())
                    .total();
        return partition::Need{all.buffers, all.weights + all.kv_cache};
    };
    placement_ = choose_placement(*comm_, options.split, {*file_, *family_, *team_, need});
    comm::agree(*comm_, [&] {
        share_ = partition::share_of(h_.sizes(), comm_->rank(), comm_->size(), placement_.weights);
    });
    if (!placement_.explanation.empty())
        log::root(Level::info, "split    {}", placement_.explanation);
    if (!draft_) return;
    const auto need_of_draft = [&](int rank, int n_threads, std::span<const double> weights) {
        const forward::MemoryNeed own =
            rank_need(draft_->file(), draft_->h(), *family_, options, options_of_draft(wanted),
                      loop, n_threads, rank, comm_->size(), weights);
        const forward::MemoryNeed first =
            rank_need(*file_, h_, *family_, options, wanted, loop, n_threads, rank, comm_->size(),
                      placement_.weights);
        return partition::Need{own.buffers + first.total(), own.weights + own.kv_cache};
    };
    draft_->place(*comm_, options.split, *family_, *team_, need_of_draft);
}

/// Of the model and, where there is one, the draft model.
forward::MemoryNeed Session::need_of_both(const forward::TransformerOptions& wanted,
                                          const ModelOptions& options,
                                          const engine::LoopOptions& loop, int n_threads, int rank,
                                          int n_ranks, std::span<const double> weights) const {
    forward::MemoryNeed need =
        rank_need(*file_, h_, *family_, options, wanted, loop, n_threads, rank, n_ranks, weights);
    if (!draft_) return need;
    const forward::MemoryNeed second =
        draft_->need(*family_, options, wanted, loop, n_threads, rank, n_ranks);
    need.weights += second.weights;
    need.kv_cache += second.kv_cache;
    need.buffers += second.buffers;
    return need;
}

/// Collective. Pages of the pool: what every rank has room for beside all else.
std::size_t Session::choose_pages(const forward::TransformerOptions& wanted,
                                  const ModelOptions& options, const engine::LoopOptions& loop) {
    const std::size_t fewest = cache::PageTables::pages_for(wanted.n_context);
    const std::size_t most = fewest * wanted.max_sequences;
    const telemetry::AvailableMemory available = available_to_rank(*comm_);
    std::uint64_t own = most;
    comm::agree(*comm_, [&] {
        const auto need = [&](std::size_t n_pages) {
            forward::TransformerOptions changed = wanted;
            changed.n_pages = n_pages;
            return need_of_both(changed, options, loop, team_->size(), comm_->rank(), comm_->size(),
                                placement_.weights);
        };
        const forward::MemoryNeed least = need(fewest), two = need(2 * fewest);
        const std::uint64_t a_context = two.kv_cache - least.kv_cache;
        if (a_context == 0) return;
        const std::uint64_t of_windows = least.kv_cache - a_context; // they have pools of their own
        if (options.kv_memory != 0) {                                // of this rank
            own = options.kv_memory > of_windows
                      ? (options.kv_memory - of_windows) / (a_context / fewest)
                      : 0;
            return;
        }
        // A tenth is left to the system's cache and to whoever else is there.
        const auto room = static_cast<std::uint64_t>(0.9 * static_cast<double>(available.bytes));
        const std::uint64_t beside = least.total() - a_context;
        own = room > beside ? (room - beside) / (a_context / fewest) : 0;
    });
    std::uint64_t smallest = most;
    for (const std::uint64_t pages : comm::all_gather<std::uint64_t>(*comm_, own))
        smallest = std::min(smallest, pages);
    if (options.kv_memory != 0 && smallest < fewest)
        log::root(Level::warning,
                  "--kv-memory holds {} of 256 positions, fewer than one context has: {} are taken",
                  counted(smallest, "page"), fewest);
    return std::clamp<std::size_t>(smallest, fewest, most);
}

/// Collective. Refuses (77) before anything is read when ranks need more than there is for them.
void Session::check_memory(const forward::TransformerOptions& wanted, const ModelOptions& options,
                           const engine::LoopOptions& loop) {
    const auto need = [&](int rank, int n_ranks, std::size_t n_context) {
        forward::TransformerOptions changed = wanted;
        changed.n_context = n_context;
        if (changed.n_pages != 0) // of a smaller context no more than that many need
            changed.n_pages = std::min(changed.n_pages, cache::PageTables::pages_for(n_context) *
                                                            changed.max_sequences);
        if (options.played) // whatever number is asked about: this process plays that rank
            return need_of_both(changed, options, loop, team_->size(), options.played->rank,
                                options.played->n_ranks, placement_.weights);
        const bool is_this = n_ranks == comm_->size(); // other numbers of ranks: what would fit
        return need_of_both(changed, options, loop, team_->size(), rank, n_ranks,
                            is_this ? placement_.weights : std::vector<double>());
    };
    memory_ = expect_memory(*comm_, need, wanted.n_context);
}

} // namespace pillar::session
