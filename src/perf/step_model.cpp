#include "pillar/perf/step_model.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/perf/network_model.hpp"

#include <algorithm>

namespace pillar::perf {

StepWork step_work(const model::Hyperparameters& h, std::span<const RankCost> ranks,
                   std::size_t first, std::size_t n_rows, bool wants_logits) {
    StepWork work;
    const auto n = static_cast<double>(n_rows);
    const auto end = static_cast<double>(first + n_rows);
    // Row i sees first + i + 1 positions: a product with each key and with each value.
    const double n_seen = n * static_cast<double>(first) + n * (n + 1) / 2;
    for (const RankCost& rank : ranks) {
        RankWork mine;
        mine.matrix_bytes = static_cast<double>(rank.cost.layer_bytes);
        mine.matrix_products = n * static_cast<double>(rank.cost.layer_products);
        if (wants_logits) {
            mine.matrix_bytes += static_cast<double>(rank.cost.output_bytes);
            mine.matrix_products += static_cast<double>(rank.cost.output_products);
        }
        mine.kv_bytes = end * static_cast<double>(rank.cost.kv_bytes);
        mine.attention_products =
            2 * n_seen * static_cast<double>(h.n_layers * rank.n_heads * h.head_dim);
        work.ranks.push_back(mine);
    }
    work.n_barriers = h.n_layers * barriers_per_layer;
    work.n_allreduces = 2 * h.n_layers;
    work.allreduce_floats = n_rows * h.dim;
    return work;
}

StepTime& StepTime::operator+=(const StepTime& other) noexcept {
    matrices_s += other.matrices_s;
    attention_s += other.attention_s;
    barriers_s += other.barriers_s;
    latency_s += other.latency_s;
    bandwidth_s += other.bandwidth_s;
    arithmetic_bound = arithmetic_bound || other.arithmetic_bound;
    return *this;
}

namespace {

StepTime compute_time(const MachineProfile& p, const RankWork& work) noexcept {
    const double read_s = work.matrix_bytes / (p.read_bytes_per_s * p.read_efficiency);
    const double multiply_s = work.matrix_products / (p.products_per_s * p.product_efficiency);
    StepTime time;
    time.matrices_s = std::max(read_s, multiply_s);
    time.arithmetic_bound = multiply_s > read_s;
    time.attention_s =
        std::max(work.kv_bytes / p.read_bytes_per_s,
                 work.attention_products / (p.float_products_per_s * p.float_efficiency));
    return time;
}

} // namespace

StepTime step_time(const MachineProfile& profile, const StepWork& work) {
    expects(!work.ranks.empty(), "a step is somebody's work");
    StepTime slowest;
    for (const RankWork& rank : work.ranks) {
        const StepTime time = compute_time(profile, rank);
        if (time.total() > slowest.total()) slowest = time;
    }
    slowest.barriers_s = static_cast<double>(work.n_barriers) * profile.barrier_s;
    const auto n_ranks = static_cast<int>(work.ranks.size());
    if (n_ranks == 1) return slowest;
    const MessageTime sum =
        allreduce_time(profile.network, work.algorithm, work.wire, n_ranks, work.allreduce_floats);
    const auto n = static_cast<double>(work.n_allreduces);
    MessageTime small = broadcast_time(profile.network, n_ranks, work.order_bytes);
    small += gather_time(profile.network, n_ranks, work.answer_bytes);
    slowest.latency_s = n * (sum.latency_s + profile.network.jitter_s) + small.latency_s;
    slowest.bandwidth_s = n * sum.bandwidth_s + small.bandwidth_s;
    return slowest;
}

Traffic step_traffic(const StepWork& work, int rank) {
    const auto n_ranks = static_cast<int>(work.ranks.size());
    Traffic sent;
    const auto add = [&](const Traffic& one, std::size_t times) {
        sent.bytes_sent += times * one.bytes_sent;
        sent.messages_sent += times * one.messages_sent;
    };
    add(comm::allreduce_traffic(work.algorithm, work.wire, rank, n_ranks, work.allreduce_floats),
        work.n_allreduces);
    add(comm::broadcast_traffic(rank, n_ranks, work.order_bytes), 1);
    add(comm::gather_traffic(rank, n_ranks, work.answer_bytes), 1);
    return sent;
}

Traffic step_traffic(const StepWork& work) {
    Traffic all;
    for (int rank = 0; rank < static_cast<int>(work.ranks.size()); ++rank) {
        const Traffic one = step_traffic(work, rank);
        all.bytes_sent += one.bytes_sent;
        all.messages_sent += one.messages_sent;
    }
    return all;
}

} // namespace pillar::perf
