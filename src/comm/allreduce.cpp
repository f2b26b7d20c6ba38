// What each algorithm does with its messages. The plans, who sends what, are in
// allreduce_plans.cpp.

#include "allreduce.hpp"

#include "tree_sum.hpp"
#include "wire_codec.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <bit>

namespace pillar::comm {

namespace {

/// Vectors whose plans are kept.
constexpr std::size_t n_plans = 8;
/// Floats of every rank's copy that are added before the next ones: they stay in the first cache.
constexpr std::size_t n_tile = 512;
static_assert(n_tile % wire_block == 0);

} // namespace

Allreduce::Allreduce(Channel& channel, Wire wire)
    : channel_(&channel), wire_(wire), rank_(channel.rank()), size_(channel.size()),
      exchanges_(recursive_doubling(rank_, size_)), leaves_(static_cast<std::size_t>(size_)) {
    for (int i = 1; i < size_; ++i) others_.push_back((rank_ + i) % size_);
    const std::size_t n_ring = 2 * others_.size(); // phases
    const std::size_t n_phases = std::max(exchanges_.size(), n_ring);
    const std::size_t n_messages = std::max(2 * n_phases, 4 * others_.size());
    for (std::size_t i = 0; i < n_plans && size_ > 1; ++i) {
        plans_.push_back(std::make_unique<Plan>(channel, n_messages, n_phases));
    }
    if (!is_exact()) decoded_ = AlignedBuffer<float>(leaves_.size() * n_tile);
}

void Allreduce::reserve(Algorithm algorithm, std::size_t n_floats) {
    const std::size_t n_bytes = allreduce_buffer_bytes(algorithm, wire_, size_, n_floats);
    if (buffer_.size() >= n_bytes) return;
    for (const auto& plan : plans_) { // their memory moves
        plan->messages.clear();
        plan->last_used = 0;
    }
    buffer_ = {};
    buffer_ = AlignedBuffer<std::byte>(n_bytes);
}

Allreduce::Plan& Allreduce::plan_for(Algorithm algorithm, std::span<float> values) {
    ++n_calls_;
    Plan* oldest = plans_.front().get();
    for (const auto& plan : plans_) {
        if (plan->last_used != 0 && plan->algorithm == algorithm &&
            plan->values.data() == values.data() && plan->values.size() == values.size()) {
            plan->last_used = n_calls_;
            return *plan;
        }
        if (plan->last_used < oldest->last_used) oldest = plan.get();
    }
    Plan& plan = *oldest;
    plan.messages.clear();
    plan.algorithm = algorithm;
    plan.values = values;
    plan.last_used = n_calls_;
    switch (algorithm) {
    case Algorithm::recursive_doubling:
        plan_recursive_doubling(plan);
        break;
    case Algorithm::direct:
        plan_direct(plan);
        break;
    case Algorithm::two_step:
        plan_two_step(plan);
        break;
    case Algorithm::ring:
        plan_ring(plan);
        break;
    case Algorithm::mpi:
        expects(false, "MPI's own all-reduce has no plan of messages");
    }
    return plan;
}

void Allreduce::sum(Algorithm algorithm, std::span<float> values, Patience& patience) {
    if (size_ == 1) return;
    reserve(algorithm, values.size());
    Plan& plan = plan_for(algorithm, values);
    switch (algorithm) {
    case Algorithm::recursive_doubling:
        return run_recursive_doubling(plan, patience);
    case Algorithm::direct:
        return run_direct(plan, patience);
    case Algorithm::two_step:
        return run_two_step(plan, patience);
    case Algorithm::ring:
        return run_ring(plan, patience);
    case Algorithm::mpi:
        break;
    }
}

/// Both partners compute lower + upper or upper + lower: the same bits, for addition commutes.
void Allreduce::run_recursive_doubling(Plan& plan, Patience& patience) {
    using Kind = Exchange::Kind;
    const auto* received = reinterpret_cast<const float*>(buffer_.data());
    for (std::size_t i = 0; i < exchanges_.size(); ++i) {
        plan.messages.run(i, patience);
        const Kind kind = exchanges_[i].kind;
        if (kind == Kind::swap || kind == Kind::fold_receive) add_to(plan.values, received);
    }
}

void Allreduce::run_direct(Plan& plan, Patience& patience) {
    const std::size_t n = plan.values.size();
    if (!is_exact()) encode(wire_, plan.values, slot(rank_, n, n).data());
    plan.messages.run(0, patience);
    sum_copies(plan.values, n);
}

void Allreduce::run_two_step(Plan& plan, Patience& patience) {
    const std::span<float> values = plan.values;
    const std::size_t n_slot = longest_part(values.size(), size_);
    const auto part = [&](int rank) {
        const Part p = part_of(values.size(), rank, size_);
        return values.subspan(p.begin, p.size());
    };
    const auto own_encoded = [&] { return encoded_part(rank_, values.size()).data(); };
    if (!is_exact()) {
        for (const int to : others_) {
            encode(wire_, part(to), encoded_part(to, values.size()).data());
        }
        encode(wire_, part(rank_), slot(rank_, n_slot, part(rank_).size()).data());
    }
    plan.messages.run(0, patience);
    sum_copies(part(rank_), n_slot);
    if (!is_exact()) encode(wire_, part(rank_), own_encoded());
    plan.messages.run(1, patience);
    if (is_exact()) return;
    for (int rank = 0; rank < size_; ++rank) {
        decode(wire_, encoded_part(rank, values.size()).data(), 0, part(rank));
    }
}

void Allreduce::run_ring(Plan& plan, Patience& patience) {
    const std::span<float> values = plan.values;
    const auto n_steps = static_cast<int>(others_.size());
    for (int step = 0; step < n_steps; ++step) {
        plan.messages.run(static_cast<std::size_t>(step), patience);
        const Part p = part_of(values.size(), (rank_ - step - 1 + size_) % size_, size_);
        add_to(values.subspan(p.begin, p.size()), reinterpret_cast<const float*>(buffer_.data()));
    }
    for (int step = 0; step < n_steps; ++step) {
        plan.messages.run(static_cast<std::size_t>(n_steps + step), patience);
    }
}

void Allreduce::sum_copies(std::span<float> values, std::size_t n_slot) noexcept {
    const std::size_t n = values.size();
    for (std::size_t begin = 0; begin < n; begin += n_tile) {
        const std::size_t n_here = std::min(n_tile, n - begin);
        for (int rank = 0; rank < size_; ++rank) {
            const auto r = static_cast<std::size_t>(rank);
            if (!is_exact()) {
                leaves_[r] = decoded_.data() + r * n_tile;
                decode(wire_, slot(rank, n_slot, n).data(), begin, {leaves_[r], n_here});
            } else if (rank == rank_) {
                leaves_[r] = values.data() + begin;
            } else {
                leaves_[r] = reinterpret_cast<float*>(slot(rank, n_slot, n).data()) + begin;
            }
        }
        add_in_tree(leaves_, n_here, values.data() + begin);
    }
}

std::span<std::byte> Allreduce::slot(int rank, std::size_t n_slot, std::size_t n) noexcept {
    const auto index = static_cast<std::size_t>((rank - rank_ - 1 + size_) % size_); // own last
    return buffer_.span().subspan(index * message_slot_bytes(wire_, n_slot), wire_bytes(wire_, n));
}

std::span<std::byte> Allreduce::encoded_part(int rank, std::size_t n_floats) noexcept {
    const std::size_t stride = message_slot_bytes(wire_, longest_part(n_floats, size_));
    const auto index = static_cast<std::size_t>(size_ + rank);
    return buffer_.span().subspan(index * stride,
                                  wire_bytes(wire_, part_of(n_floats, rank, size_).size()));
}

} // namespace pillar::comm
