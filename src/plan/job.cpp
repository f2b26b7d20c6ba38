// The counts are those of the run: the same plan of weights, the same pre-flight, the same
// schedules. Ranks with equal parts cost the same, so each kind of part is looked at once.

#include "job.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/engine/message_sizes.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/partition/uneven.hpp"
#include "pillar/perf/network_model.hpp"
#include "pillar/sampling/sampling.hpp"
#include "pillar/session/memory_check.hpp"
#include "pillar/session/model_file.hpp"

#include <fmt/core.h>
#include <map>

namespace pillar::plan {

namespace {

constexpr std::size_t widest_block = 256;

/// What the cost of a part depends on: lengths, and where it begins within a block.
std::vector<std::size_t> kind_of(const partition::Share& share, std::size_t head_dim) {
    std::vector<std::size_t> kind{share.heads.size(),
                                  share.kv_heads.size(),
                                  share.heads.begin * head_dim % widest_block,
                                  share.hidden.begin % widest_block,
                                  share.hidden.size(),
                                  share.vocabulary.size()};
    for (const Range& heads : share.slice_heads) kind.push_back(heads.size());
    for (const Range& hidden : share.slice_hidden) kind.push_back(hidden.size());
    return kind;
}

class Maker {
  public:
    Maker(const gguf::File& file, const perf::Cluster& cluster, const PlanRequest& request,
          int n_ranks)
        : file_(file), cluster_(cluster), request_(request), n_ranks_(n_ranks),
          h_(model::read_hyperparameters(file)) {
        options_.n_context = request.model.n_context;
        options_.max_rows = request.model.n_batch;
        options_.cache_types = request.model.cache_types;
        options_.max_sequences = request.n_parallel;
        options_.max_logit_rows = request.n_parallel;
    }

    Job make() {
        Job job{h_, {}, {}, weights()};
        std::map<std::vector<std::size_t>, perf::RankCost> costs;
        std::map<std::vector<std::size_t>, forward::MemoryNeed> needs;
        for (int rank = 0; rank < n_ranks_; ++rank) {
            const partition::Share share =
                partition::share_of(h_.sizes(), rank, n_ranks_, job.weights);
            std::vector<std::size_t> kind = kind_of(share, h_.head_dim);
            auto cost = costs.find(kind);
            if (cost == costs.end()) {
                const model::WeightPlan plan = model::plan_weights(file_, h_, share, family_);
                cost = costs
                           .emplace(kind, perf::rank_cost(plan, h_, share, family_,
                                                          request_.model.cache_types))
                           .first;
            }
            job.ranks.push_back(cost->second);
            kind.push_back(rank == 0 ? 1 : 0); // which has room for all ranks' answers
            kind.push_back(static_cast<std::size_t>(node(rank).n_threads));
            auto need = needs.find(kind);
            if (need == needs.end()) need = needs.emplace(kind, need_of(rank, job.weights)).first;
            job.needs.push_back(need->second);
        }
        return job;
    }

  private:
    [[nodiscard]] const perf::MachineProfile& node(int rank) const {
        return cluster_.of(static_cast<std::size_t>(rank));
    }

    [[nodiscard]] forward::MemoryNeed need_of(int rank, std::span<const double> weights) const {
        return session::rank_need(file_, h_, family_, request_.model, options_,
                                  session::usual_loop(), static_cast<int>(node(rank).n_threads),
                                  rank, n_ranks_, weights);
    }

    [[nodiscard]] std::vector<double> weights() const {
        const session::SplitRequest& split = request_.model.split;
        if (n_ranks_ == 1 || split.kind == session::SplitKind::even) return {};
        if (split.kind == session::SplitKind::list) {
            if (split.weights.size() != static_cast<std::size_t>(n_ranks_))
                throw UsageError(fmt::format(
                    "--split {}: {} for {}; give --ranks {}, or as many "
                    "shares as ranks",
                    session::split_text(split), counted(split.weights.size(), "share"),
                    counted(static_cast<std::size_t>(n_ranks_), "rank"), split.weights.size()));
            return split.weights;
        }
        std::vector<double> speeds;
        std::vector<std::uint64_t> available;
        for (int rank = 0; rank < n_ranks_; ++rank) {
            const perf::MachineProfile& profile = node(rank);
            speeds.push_back(profile.read_bytes_per_s * profile.read_efficiency);
            available.push_back(static_cast<std::uint64_t>(profile.available_bytes));
        }
        const auto need = [&](int rank, std::span<const double> shares) {
            const forward::MemoryNeed all = need_of(rank, shares);
            return partition::Need{all.buffers, all.weights + all.kv_cache};
        };
        return partition::assign_by_speed(speeds, available, need).weights;
    }

    const gguf::File& file_;
    const perf::Cluster& cluster_;
    const PlanRequest& request_;
    int n_ranks_;
    model::Hyperparameters h_;
    const kernels::Family& family_ = *kernels::families()[kernels::best_family()];
    forward::TransformerOptions options_;
};

} // namespace

PlanRequest resolved(const gguf::File& file, const PlanRequest& request) {
    PlanRequest all = request;
    if (all.model.n_context == 0)
        all.model.n_context = session::context_of(model::read_hyperparameters(file), 0);
    return all;
}

Job make_job(const gguf::File& file, const perf::Cluster& cluster, const PlanRequest& request,
             int n_ranks) {
    return Maker(file, cluster, request, n_ranks).make();
}

perf::StepWork work_of(const Job& job, const perf::Cluster& cluster, const PlanRequest& request,
                       const perf::StepRows& rows) {
    perf::StepWork work = perf::step_work(job.h, job.ranks, rows);
    const std::size_t n_candidates = sampling::candidates_needed(sampling::Parameters());
    work.request_bytes = engine::request_bytes(rows.n_rows);
    work.reply_bytes = engine::reply_bytes(rows.n_logits, n_candidates);
    work.wire = request.model.wire;
    const auto algorithm = request.model.allreduce;
    work.allreduce =
        comm::only(algorithm ? *algorithm
                             : perf::fastest_allreduce(perf::meeting_of(cluster).network, work.wire,
                                                       job.n_ranks(), work.allreduce_floats));
    return work;
}

perf::StepRows decode_rows(const PlanRequest& request) noexcept {
    const std::size_t n = request.n_parallel;
    return {n, n, n * (request.depth + 1), n * (request.depth + 1)};
}

} // namespace pillar::plan
