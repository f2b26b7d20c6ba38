// What each algorithm does with its messages. The plans, who sends what, are in
// allreduce_plans.cpp.

#include "allreduce.hpp"

#include "pillar/comm/tree_sum.hpp"
#include "pillar/comm/wire_codec.hpp"
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
    case Algorithm::reduce_scatter:
        plan_reduce_scatter(plan);
        break;
    case Algorithm::ring:
        plan_ring(plan);
        break;
    case Algorithm::mpi:
        expects(false, "MPI's own all-reduce has no plan of messages");
    }
    return plan;
}

void Allreduce::start(Algorithm algorithm, std::span<float> values) {
    expects(plan_ == nullptr, "one all-reduce is under way at a time");
    if (size_ == 1) return;
    reserve(algorithm, values.size());
    plan_ = &plan_for(algorithm, values);
    phase_ = 0;
    if (plan_->messages.n_phases() == 0) {
        plan_ = nullptr;
        return;
    }
    prepare();
    plan_->messages.start(phase_);
}

bool Allreduce::advance() {
    while (plan_ != nullptr && plan_->messages.test(phase_)) {
        complete();
        if (++phase_ == plan_->messages.n_phases()) {
            plan_ = nullptr;
        } else {
            prepare();
            plan_->messages.start(phase_);
        }
    }
    return plan_ == nullptr;
}

void Allreduce::finish(Backoff& backoff) {
    while (plan_ != nullptr) {
        plan_->messages.finish(phase_, backoff);
        advance();
    }
}

std::span<float> Allreduce::part_at(int rank) const noexcept {
    const Range p = part_of(plan_->values.size(), rank, size_);
    return plan_->values.subspan(p.begin, p.size());
}

void Allreduce::prepare() {
    if (is_exact()) return;
    const std::span<float> values = plan_->values;
    const std::size_t n = values.size();
    if (plan_->algorithm == Algorithm::direct) {
        encode(wire_, values, slot(rank_, n, n).data());
    } else if (phase_ == 0) {
        for (const int to : others_) encode(wire_, part_at(to), encoded_part(to, n).data());
        encode(wire_, part_at(rank_),
               slot(rank_, max_part(n, size_), part_at(rank_).size()).data());
    } else {
        encode(wire_, part_at(rank_), encoded_part(rank_, n).data());
    }
}

void Allreduce::complete() {
    const std::span<float> values = plan_->values;
    switch (plan_->algorithm) {
    case Algorithm::recursive_doubling: {
        // Both partners compute lower + upper or upper + lower: the same bits.
        const Exchange::Kind kind = exchanges_[phase_].kind;
        if (kind == Exchange::Kind::swap || kind == Exchange::Kind::fold_receive)
            add_to(values, reinterpret_cast<const float*>(buffer_.data()));
        return;
    }
    case Algorithm::direct:
        return sum_copies(values, values.size());
    case Algorithm::reduce_scatter:
        if (phase_ == 0) return sum_copies(part_at(rank_), max_part(values.size(), size_));
        return decode_all();
    default:
        return complete_ring();
    }
}

void Allreduce::decode_all() noexcept {
    if (is_exact()) return;
    const std::size_t n = plan_->values.size();
    for (int rank = 0; rank < size_; ++rank)
        decode(wire_, encoded_part(rank, n).data(), 0, part_at(rank));
}

/// First the partial sums go round, then the whole ones.
void Allreduce::complete_ring() {
    if (phase_ >= others_.size()) return;
    const auto step = static_cast<int>(phase_);
    add_to(part_at((rank_ - step - 1 + size_) % size_),
           reinterpret_cast<const float*>(buffer_.data()));
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
    const std::size_t stride = message_slot_bytes(wire_, max_part(n_floats, size_));
    const auto index = static_cast<std::size_t>(size_ + rank);
    return buffer_.span().subspan(index * stride,
                                  wire_bytes(wire_, part_of(n_floats, rank, size_).size()));
}

} // namespace pillar::comm
