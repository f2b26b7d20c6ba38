#include "pillar/perf/step_model.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/forward/micro_batches.hpp"
#include "pillar/perf/network_model.hpp"

#include <algorithm>
#include <utility>

namespace pillar::perf {

StepRows rows_of_one(std::size_t first, std::size_t n_rows, bool wants_logits) noexcept {
    // Row i sees first + i + 1 positions.
    return {n_rows, wants_logits ? 1u : 0u, n_rows * first + n_rows * (n_rows + 1) / 2,
            first + n_rows};
}

namespace {

/// Sums over the layers; of those with a window as if the rows were one sequence's.
forward::SeenPositions seen_by_layers(const model::Hyperparameters& h, const StepRows& rows) {
    forward::SeenPositions sum{h.n_layers * rows.n_cached, h.n_layers * rows.n_attended};
    const std::uint64_t first = rows.n_cached - std::min<std::uint64_t>(rows.n_cached, rows.n_rows);
    for (const model::LayerSpec& layer : h.layers) {
        if (layer.window == 0) continue;
        const forward::SeenPositions seen =
            forward::seen_positions(first, rows.n_rows, layer.window);
        sum.read -= rows.n_cached - std::min(rows.n_cached, seen.read);
        sum.attended -= rows.n_attended - std::min(rows.n_attended, seen.attended);
    }
    return sum;
}

} // namespace

StepWork step_work(const model::Hyperparameters& h, std::span<const RankCost> ranks,
                   const StepRows& rows) {
    StepWork work;
    const forward::SeenPositions seen = seen_by_layers(h, rows);
    const auto n = static_cast<double>(rows.n_rows);
    for (const RankCost& rank : ranks) {
        RankWork mine;
        mine.matrix_bytes = rank.cost.layer_bytes_of(rows.n_rows);
        mine.heads_share = static_cast<double>(rank.cost.heads_bytes) / mine.matrix_bytes;
        mine.matrix_macs = n * static_cast<double>(rank.cost.layer_macs);
        mine.kv_bytes = static_cast<double>(seen.read) * static_cast<double>(rank.cost.kv_bytes) /
                        static_cast<double>(h.n_layers);
        mine.grid_bytes = rank.grids.layer_share * mine.matrix_bytes;
        mine.grid_macs = n * rank.grids.layer_macs;
        mine.float_macs = n * rank.floats.layer_macs;
        if (rows.n_logits > 0) {
            const auto n_logits = static_cast<double>(rows.n_logits);
            const auto n_bytes = static_cast<double>(rank.cost.output_bytes);
            mine.matrix_bytes += n_bytes;
            mine.matrix_macs += n_logits * static_cast<double>(rank.cost.output_macs);
            mine.grid_bytes += rank.grids.output_share * n_bytes;
            mine.grid_macs += n_logits * rank.grids.output_macs;
            mine.float_macs += n_logits * rank.floats.output_macs;
        }
        // A product with each key and with each value.
        mine.attention_macs =
            2 * static_cast<double>(seen.attended) * static_cast<double>(rank.n_heads * h.head_dim);
        work.ranks.push_back(mine);
    }
    const auto n_ranks = static_cast<int>(ranks.size());
    const std::size_t n_first = forward::first_micro_batch(rows.n_rows, n_ranks);
    const bool has_experts = !ranks.empty() && ranks.front().cost.n_experts > 0;
    const std::size_t n_joint = model::n_joint_norms(h);
    const auto barriers = [&](bool has_joint_norm) {
        return forward::barriers_a_layer(rows.n_rows, n_ranks, has_experts, has_joint_norm);
    };
    work.n_barriers = n_joint * barriers(true) + (h.n_layers - n_joint) * barriers(false);
    work.n_exact_allreduces = n_joint;
    work.n_allreduces = forward::blocks_a_layer * h.n_layers;
    work.allreduce_floats = n_first * h.dim;
    work.n_rows = rows.n_rows;
    work.n_second = rows.n_rows - n_first;
    work.second_floats = work.n_second * h.dim;
    return work;
}

StepTime& StepTime::operator+=(const StepTime& other) noexcept {
    matrices_s += other.matrices_s;
    attention_s += other.attention_s;
    barriers_s += other.barriers_s;
    latency_s += other.latency_s;
    bandwidth_s += other.bandwidth_s;
    reduction_s += other.reduction_s;
    arithmetic_bound = arithmetic_bound || other.arithmetic_bound;
    return *this;
}

StepTime compute_time(const MachineProfile& p, const RankWork& work) noexcept {
    const double bytes_per_s = p.read_bytes_per_s * p.read_efficiency;
    const double float_macs_per_s = p.float_macs_per_s * p.float_efficiency;
    const double read_s = (work.matrix_bytes - work.grid_bytes) / bytes_per_s;
    const double multiply_s =
        (work.matrix_macs - work.grid_macs) / (p.macs_per_s * p.mac_efficiency) +
        work.float_macs / float_macs_per_s;
    const double read_grids_s = work.grid_bytes / bytes_per_s;
    const double multiply_grids_s = work.grid_macs / p.grid_macs_per_s;
    StepTime time;
    double by_reading_s = 0, by_multiplying_s = 0;
    for (const auto& [reading_s, products_s] :
         {std::pair{read_s, multiply_s}, std::pair{read_grids_s, multiply_grids_s}})
        (products_s > reading_s ? by_multiplying_s : by_reading_s) +=
            std::max(reading_s, products_s);
    time.matrices_s = by_reading_s + by_multiplying_s;
    time.arithmetic_bound = by_multiplying_s > by_reading_s;
    time.attention_s =
        std::max(work.kv_bytes / p.read_bytes_per_s, work.attention_macs / float_macs_per_s);
    return time;
}

namespace {

MessageTime times(double n, const MessageTime& sum) noexcept {
    return {n * sum.latency_s, n * sum.bandwidth_s, n * sum.reduction_s};
}

/// What is left of an all-reduce while something else is computed for so long: of its messages
/// `share` is hidden, as far as the computing lasts. Adding is the same threads' work.
MessageTime beyond(MessageTime sum, double computing_s, double share) noexcept {
    const double hidden_s = share * std::min(sum.latency_s + sum.bandwidth_s, computing_s);
    const double of_bytes_s = std::min(sum.bandwidth_s, hidden_s);
    sum.bandwidth_s -= of_bytes_s;
    sum.latency_s -= hidden_s - of_bytes_s;
    return sum;
}

/// Lengths of the exact all-reduces of a layer that has any.
std::vector<std::size_t> exact_floats(const StepWork& work) {
    if (work.n_exact_allreduces == 0) return {};
    std::vector<std::size_t> lengths = {(work.n_rows - work.n_second) * forward::squares_a_row};
    if (work.n_second > 0) lengths.push_back(work.n_second * forward::squares_a_row);
    return lengths;
}

/// The all-reduces of a step, as far as the ranks have nothing to compute meanwhile.
MessageTime sums_time(const NetworkProfile& network, const StepWork& work,
                      const StepTime& computing) {
    const auto n_ranks = static_cast<int>(work.ranks.size());
    const auto sum_of = [&](std::size_t n_floats) {
        MessageTime sum =
            allreduce_time(network, work.allreduce.of(n_floats), work.wire, n_ranks, n_floats);
        sum.latency_s += network.jitter_s;
        return sum;
    };
    const auto n = static_cast<double>(work.n_allreduces);
    const MessageTime first = sum_of(work.allreduce_floats);
    if (work.second_floats == 0) return times(n, first);

    // Turns of a layer: heads of the first half, of the second, feed-forward of the first, of the
    // second; each sum has the turn that follows. After the last one there is none.
    const MessageTime second = sum_of(work.second_floats);
    const double n_layers = n / 2;
    const double second_share =
        static_cast<double>(work.n_second) / static_cast<double>(work.n_rows);
    const double heads_share =
        std::ranges::max(work.ranks, {}, &RankWork::matrix_bytes).heads_share;
    const double heads_s = (computing.matrices_s * heads_share + computing.attention_s) / n_layers;
    const double feed_forward_s = computing.matrices_s * (1 - heads_share) / n_layers;
    const double share = network.hidden_share;
    MessageTime all = times(n_layers, beyond(first, heads_s * second_share, share));
    all += times(n_layers, beyond(second, feed_forward_s * (1 - second_share), share));
    all += times(n_layers, beyond(first, feed_forward_s * second_share, share));
    all += times(n_layers - 1, beyond(second, heads_s * (1 - second_share), share));
    all += second;
    return all;
}

} // namespace

namespace {

/// `profile_of(rank)`: of its node.
template <class ProfileOf>
StepTime time_together(const StepWork& work, const Meeting& meeting, ProfileOf profile_of) {
    expects(!work.ranks.empty(), "a step is somebody's work");
    StepTime slowest;
    for (std::size_t rank = 0; rank < work.ranks.size(); ++rank) {
        const StepTime time = compute_time(profile_of(rank), work.ranks[rank]);
        if (time.total() > slowest.total()) slowest = time;
    }
    slowest.barriers_s = static_cast<double>(work.n_barriers) * meeting.barrier_s;
    const auto n_ranks = static_cast<int>(work.ranks.size());
    if (n_ranks == 1) return slowest;
    MessageTime messages = broadcast_time(meeting.network, n_ranks, work.request_bytes);
    messages += gather_time(meeting.network, n_ranks, work.reply_bytes);
    messages += sums_time(meeting.network, work, slowest);
    for (const std::size_t n_floats : exact_floats(work)) {
        MessageTime sum = allreduce_time(meeting.network, work.allreduce.of(n_floats),
                                         comm::Wire::f32, n_ranks, n_floats);
        sum.latency_s += meeting.network.jitter_s;
        messages += times(static_cast<double>(work.n_exact_allreduces), sum);
    }
    slowest.latency_s = messages.latency_s;
    slowest.bandwidth_s = messages.bandwidth_s;
    slowest.reduction_s = messages.reduction_s;
    return slowest;
}

} // namespace

StepTime step_time(const MachineProfile& profile, const StepWork& work) {
    return time_together(work, meeting_of(profile),
                         [&](std::size_t) -> const MachineProfile& { return profile; });
}

StepTime step_time(const Cluster& cluster, const StepWork& work) {
    return time_together(work, meeting_of(cluster), [&](std::size_t rank) -> const MachineProfile& {
        return cluster.of(rank);
    });
}

Traffic step_traffic(const StepWork& work, int rank) {
    const auto n_ranks = static_cast<int>(work.ranks.size());
    Traffic sent;
    for (const std::size_t n_floats : {work.allreduce_floats, work.second_floats})
        if (n_floats > 0)
            sent += work.n_allreduces * comm::allreduce_traffic(work.allreduce.of(n_floats),
                                                                work.wire, rank, n_ranks, n_floats);
    for (const std::size_t n_floats : exact_floats(work))
        sent += work.n_exact_allreduces * comm::allreduce_traffic(work.allreduce.of(n_floats),
                                                                  comm::Wire::f32, rank, n_ranks,
                                                                  n_floats);
    sent += comm::broadcast_traffic(rank, n_ranks, work.request_bytes);
    sent += comm::gather_traffic(rank, n_ranks, work.reply_bytes);
    return sent;
}

Traffic step_traffic(const StepWork& work) {
    Traffic all;
    for (int rank = 0; rank < static_cast<int>(work.ranks.size()); ++rank)
        all += step_traffic(work, rank);
    return all;
}

} // namespace pillar::perf
