// The counts are those of the run: the same plan of weights, the same pre-flight, the same
// schedules.

#include "rows.hpp"

#include "pillar/engine/message_sizes.hpp"
#include "pillar/perf/network_model.hpp"
#include "pillar/perf/sum_of_pieces.hpp"
#include "pillar/sampling/sampling.hpp"
#include "pillar/session/memory_check.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/session/run_shape.hpp"

#include <algorithm>

namespace pillar::plan {

namespace {

/// Messages of a step, in the way that `request` asks for.
void add_messages(perf::StepWork& work, const PlanRequest& request,
                  const perf::NetworkProfile& network, std::size_t n_rows, bool wants_logits) {
    const std::size_t n_candidates = sampling::candidates_needed(sampling::Parameters());
    work.request_bytes = engine::request_bytes(n_rows);
    work.reply_bytes = engine::reply_bytes(wants_logits ? 1 : 0, n_candidates);
    work.wire = request.model.wire;
    const auto algorithm = request.model.allreduce;
    work.allreduce = comm::only(
        algorithm ? *algorithm
                  : perf::fastest_allreduce(network, work.wire, static_cast<int>(work.ranks.size()),
                                            work.allreduce_floats));
}

} // namespace

PlanRequest resolved(const gguf::File& file, const PlanRequest& request) {
    PlanRequest all = request;
    if (all.model.n_context == 0)
        all.model.n_context = session::context_of(model::read_hyperparameters(file), 0);
    return all;
}

PlanRow plan_row(const gguf::File& file, const perf::MachineProfile& profile,
                 const PlanRequest& asked, int n_ranks) {
    const PlanRequest request = resolved(file, asked);
    const model::Hyperparameters h = model::read_hyperparameters(file);
    const kernels::Family& family = *kernels::families()[kernels::best_family()];
    const kernels::CacheTypes cache_types = request.model.cache_types;
    forward::TransformerOptions options;
    options.n_context = request.model.n_context;
    options.max_rows = request.model.n_batch;
    options.cache_types = cache_types;

    PlanRow row;
    row.n_ranks = n_ranks;
    row.available_bytes = profile.available_bytes;
    const std::vector<perf::RankCost> ranks =
        session::rank_costs(file, h, family, cache_types, n_ranks, {});
    for (int rank = 0; rank < n_ranks; ++rank) {
        const forward::MemoryNeed need =
            session::rank_need(file, h, family, request.model, options, session::usual_loop(),
                               static_cast<int>(profile.n_threads), rank, n_ranks);
        if (need.total() > row.need.total()) row.need = need;
    }

    perf::StepWork token = perf::step_work(h, ranks, perf::rows_of_one(request.depth, 1, true));
    add_messages(token, request, profile.network, 1, true);
    row.token = perf::step_traffic(token);
    row.decode_allreduce = token.allreduce.longer;
    row.decode = perf::step_time(profile, token);
    for (const perf::RankWork& work : token.ranks)
        row.read_bytes = std::max(row.read_bytes, work.matrix_bytes + work.kv_bytes);
    for (const perf::RankWork& work : token.ranks)
        row.mean_read_bytes += (work.matrix_bytes + work.kv_bytes) / n_ranks;

    const auto chunk_at = [&](std::size_t at, std::size_t n_rows, bool is_last) {
        perf::StepWork chunk = perf::step_work(h, ranks, perf::rows_of_one(at, n_rows, is_last));
        add_messages(chunk, request, profile.network, n_rows, is_last);
        return chunk;
    };
    const std::size_t n_batch = request.model.n_batch;
    const std::size_t n_before = (request.n_prompt - 1) / n_batch; // full ones before the last
    const perf::StepWork last =
        chunk_at(n_before * n_batch, request.n_prompt - n_before * n_batch, true);
    row.prompt = perf::step_time(profile, last);
    row.prompt_sent = perf::step_traffic(last);
    row.prompt_allreduce = last.allreduce.longer;
    if (n_before > 0) {
        const perf::StepWork first = chunk_at(0, n_batch, false);
        row.prompt_allreduce = first.allreduce.longer;
        const Traffic sent = perf::step_traffic(first);
        row.prompt_sent += n_before * sent;
        row.prompt += perf::sum_of_pieces(n_before, [&](std::size_t i) {
            return perf::step_time(profile, chunk_at(i * n_batch, n_batch, false));
        });
    }
    row.decode_per_s = 1 / row.decode.total();
    row.prompt_per_s = static_cast<double>(request.n_prompt) / row.prompt.total();
    row.joules_per_token = n_ranks * profile.power.decode_w * row.decode.total();
    return row;
}

PlanRow base_row(const gguf::File& file, const perf::MachineProfile& profile,
                 const PlanRequest& request, int most) {
    PlanRow one = plan_row(file, profile, request, 1);
    if (one.fits()) return one;
    for (int n_ranks = 2; n_ranks <= most; ++n_ranks) {
        PlanRow row = plan_row(file, profile, request, n_ranks);
        if (row.fits()) return row;
    }
    return one;
}

} // namespace pillar::plan
