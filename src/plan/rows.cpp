#include "rows.hpp"

#include "pillar/perf/sum_of_pieces.hpp"

#include <algorithm>

namespace pillar::plan {

namespace {

/// The prompt in chunks: all but the last are full, and want no logits.
struct PromptWork {
    perf::StepWork first, last;
    std::size_t n_before = 0; ///< chunks before the last
};

perf::StepWork chunk(const Job& job, const perf::Cluster& cluster, const PlanRequest& request,
                     std::size_t at, std::size_t n_rows, bool is_last) {
    return work_of(job, cluster, request, perf::rows_of_one(at, n_rows, is_last));
}

PromptWork prompt_work(const Job& job, const perf::Cluster& cluster, const PlanRequest& request) {
    const std::size_t n_batch = request.model.n_batch;
    PromptWork work;
    work.n_before = (request.n_prompt - 1) / n_batch;
    const std::size_t at = work.n_before * n_batch;
    work.last = chunk(job, cluster, request, at, request.n_prompt - at, true);
    if (work.n_before > 0) work.first = chunk(job, cluster, request, 0, n_batch, false);
    return work;
}

perf::StepTime prompt_time(const Job& job, const perf::Cluster& cluster,
                           const PlanRequest& request) {
    const PromptWork work = prompt_work(job, cluster, request);
    perf::StepTime time = perf::step_time(cluster, work.last);
    const std::size_t n_batch = request.model.n_batch;
    if (work.n_before > 0)
        time += perf::sum_of_pieces(work.n_before, [&](std::size_t i) {
            return perf::step_time(cluster,
                                   chunk(job, cluster, request, i * n_batch, n_batch, false));
        });
    return time;
}

forward::MemoryNeed sum_of(const forward::MemoryNeed& a, const forward::MemoryNeed& b) {
    return {a.weights + b.weights, a.kv_cache + b.kv_cache, a.buffers + b.buffers};
}

double watts(const perf::Cluster& cluster, int n_ranks) {
    double sum = 0;
    for (int rank = 0; rank < n_ranks; ++rank)
        sum += cluster.of(static_cast<std::size_t>(rank)).power.decode_w;
    return sum;
}

/// 0 where one is not told.
double price_of(const perf::Cluster& cluster, int n_ranks) {
    double sum = 0;
    for (int rank = 0; rank < n_ranks; ++rank) {
        const double price = cluster.of(static_cast<std::size_t>(rank)).price;
        if (price == 0) return 0;
        sum += price;
    }
    return sum;
}

void predict(PlanRow& row, const Job& job, const perf::Cluster& cluster,
             const PlanRequest& request) {
    const auto n_tokens = static_cast<double>(request.n_parallel);
    const auto outcome = perf::intervals(cluster, [&](const perf::Cluster& nodes) {
        const double step_s =
            perf::step_time(nodes, work_of(job, nodes, request, decode_rows(request))).total();
        return std::vector<double>{n_tokens / step_s,
                                   static_cast<double>(request.n_prompt) /
                                       prompt_time(job, nodes, request).total(),
                                   watts(nodes, row.n_ranks) * step_s / n_tokens};
    });
    row.decode_per_s = outcome[0];
    row.prompt_per_s = outcome[1];
    row.joules_a_token = outcome[2];
}

} // namespace

PlanRow plan_row(const gguf::File& file, const perf::Cluster& cluster, const PlanRequest& asked,
                 int n_ranks, const Draft* draft) {
    const PlanRequest request = resolved(file, asked);
    Job job = make_job(file, cluster, request, n_ranks);
    std::optional<Job> proposer;
    if (draft != nullptr && draft->file != nullptr) {
        proposer = make_job(*draft->file, cluster, draft->request, n_ranks);
        for (std::size_t rank = 0; rank < job.needs.size(); ++rank)
            job.needs[rank] = sum_of(job.needs[rank], proposer->needs[rank]);
    }
    PlanRow row;
    row.n_ranks = n_ranks;
    row.weights = job.weights;
    row.price = price_of(cluster, n_ranks);
    double fullest = -1;
    for (std::size_t rank = 0; rank < job.needs.size(); ++rank) {
        const double available = cluster.of(rank).available_bytes;
        const double full = static_cast<double>(job.needs[rank].total()) / available;
        if (full <= fullest) continue;
        fullest = full;
        row.need = job.needs[rank];
        row.available_bytes = available;
    }

    const perf::StepWork token = work_of(job, cluster, request, decode_rows(request));
    row.token = perf::step_traffic(token);
    row.decode_allreduce = token.allreduce.longer;
    row.decode = perf::step_time(cluster, token);
    row.limits = limits_of(cluster, token, row.decode);
    for (const perf::RankWork& work : token.ranks) {
        row.read_bytes = std::max(row.read_bytes, work.matrix_bytes + work.kv_bytes);
        row.mean_read_bytes += (work.matrix_bytes + work.kv_bytes) / n_ranks;
    }

    const PromptWork prompt = prompt_work(job, cluster, request);
    row.prompt = prompt_time(job, cluster, request);
    row.prompt_sent = perf::step_traffic(prompt.last);
    row.prompt_allreduce = prompt.last.allreduce.longer;
    if (prompt.n_before > 0) {
        row.prompt_allreduce = prompt.first.allreduce.longer;
        row.prompt_sent += prompt.n_before * perf::step_traffic(prompt.first);
    }
    predict(row, job, cluster, request);

    if (request.draft && draft != nullptr)
        row.draft = best_draft(job, proposer ? &*proposer : nullptr, cluster, request);
    return row;
}

PlanRow base_row(const gguf::File& file, const perf::Cluster& cluster, const PlanRequest& asked,
                 int most) {
    PlanRequest request = asked;
    request.model.split = {};
    PlanRow one = plan_row(file, cluster, request, 1);
    if (one.fits()) return one;
    for (int n_ranks = 2; n_ranks <= most; ++n_ranks) {
        PlanRow row = plan_row(file, cluster, request, n_ranks);
        if (row.fits()) return row;
    }
    return one;
}

} // namespace pillar::plan
