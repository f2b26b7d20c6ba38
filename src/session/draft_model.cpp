#include "draft_model.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/model/architecture.hpp"
#include "pillar/model/tensors.hpp"
#include "pillar/session/memory_check.hpp"
#include "pillar/speculation/vocabulary.hpp"
#include "pillar/terminal/progress.hpp"
#include "pillar/terminal/streams.hpp"

#include <fmt/core.h>

namespace pillar::session {

forward::TransformerOptions options_of_draft(const forward::TransformerOptions& wanted) noexcept {
    forward::TransformerOptions options = wanted;
    options.max_logit_rows = wanted.max_sequences; // a token a step for each
    return options;
}

DraftModel::DraftModel(comm::Communicator& comm, const ModelOptions& options,
                       const tokenizer::Vocabulary& vocabulary, std::size_t n_context) {
    comm::agree(comm, [&] {
        file_.emplace(options.draft.model);
        h_ = model::read_hyperparameters(*file_);
        static_cast<void>(model::check_tensors(*file_, h_));
        const tokenizer::Tokenizer own(file_->metadata());
        if (const std::string other = speculation::difference(vocabulary, own.vocabulary());
            !other.empty())
            throw FormatError(options.draft.model, "vocabulary", std::nullopt,
                              fmt::format("is not that of {} ({}); a draft model has the same "
                                          "tokens, so take one of the same family",
                                          printable(options.model, 4096), other));
        model::choose_rope_factors(h_, n_context);
    });
    comm::expect_same(comm, "the draft model's header",
                      fmt::format("{:016x}", file_->header_hash()));
    if (const std::string slow = model::slow_formats(*file_); !slow.empty())
        log::root(log::Level::warning, "--draft: {}", slow);
}

forward::MemoryNeed DraftModel::need(const kernels::Family& family, const ModelOptions& options,
                                     const forward::TransformerOptions& wanted,
                                     const engine::LoopOptions& loop, int n_threads, int rank,
                                     int n_ranks) const {
    const bool is_placed = placement_.weights.size() == static_cast<std::size_t>(n_ranks);
    return rank_need(*file_, h_, family, options, options_of_draft(wanted), loop, n_threads, rank,
                     n_ranks, is_placed ? placement_.weights : std::vector<double>());
}

void DraftModel::place(
    comm::Communicator& comm, const SplitRequest& request, const kernels::Family& family,
    threads::Team& team,
    FunctionRef<partition::Need(int rank, int n_threads, std::span<const double> weights)> need) {
    placement_ = choose_placement(comm, request, {*file_, family, team, need});
    comm::agree(comm, [&] {
        share_ = partition::share_of(h_.sizes(), comm.rank(), comm.size(), placement_.weights);
    });
    if (!placement_.explanation.empty())
        log::root(log::Level::info, "split    {} (of the draft model)", placement_.explanation);
}

void DraftModel::load(comm::Communicator& comm, const kernels::Family& family,
                      const ModelOptions& options, const forward::TransformerOptions& wanted,
                      threads::Team& team) {
    const Stopwatch clock;
    std::uint64_t total = 0;
    comm::agree(comm, [&] { total = model::plan_weights(*file_, h_, share_, family).read_bytes; });
    {
        terminal::ProgressBar bar("loading the draft model", total,
                                  comm.is_root() ? terminal::usual_progress()
                                                 : terminal::ProgressStyle::none);
        comm::agree(comm, [&] {
            const auto progress = [&](std::uint64_t done) {
                bar.show(done);
                comm.heartbeat();
            };
            model_ = std::make_unique<model::Model>(*file_, h_, share_, family, team,
                                                    options.check_tensors, progress);
            transformer_ =
                std::make_unique<forward::Transformer>(*model_, options_of_draft(wanted), team);
        });
    }
    log::root(log::Level::info, "draft    {}, {} of it on rank 0, loaded in {:.2f} s",
              h_.name.empty() ? "unnamed" : printable(h_.name),
              human_bytes(static_cast<double>(model_->plan.packed_bytes)), clock.elapsed_s());
}

} // namespace pillar::session
