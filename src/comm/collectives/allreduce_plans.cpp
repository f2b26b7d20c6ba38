// Who sends what to whom, as persistent messages.

#include "allreduce.hpp"

namespace pillar::comm {

namespace {

std::span<float> part(std::span<float> values, int rank, int size) noexcept {
    const Range p = part_of(values.size(), rank, size);
    return values.subspan(p.begin, p.size());
}

} // namespace

void Allreduce::plan_recursive_doubling(Plan& plan) {
    using Kind = Exchange::Kind;
    const std::span<std::byte> received = buffer_.span().first(plan.values.size_bytes());
    for (const auto& [kind, partner] : exchanges_) {
        if (kind == Kind::swap || kind == Kind::fold_receive) {
            plan.messages.receive(partner, received);
        } else if (kind == Kind::result_receive) {
            plan.messages.receive(partner, std::as_writable_bytes(plan.values));
        }
        if (kind == Kind::swap || kind == Kind::fold_send || kind == Kind::result_send) {
            plan.messages.send(partner, std::as_bytes(plan.values));
        }
        plan.messages.end_phase();
    }
}

void Allreduce::plan_direct(Plan& plan) {
    const std::size_t n = plan.values.size();
    const std::span<const std::byte> outgoing =
        is_exact() ? std::as_bytes(plan.values) : std::span<const std::byte>(slot(rank_, n, n));
    for (const int peer : others_) plan.messages.receive(peer, slot(peer, n, n));
    for (const int peer : others_) plan.messages.send(peer, outgoing);
    plan.messages.end_phase();
}

void Allreduce::plan_reduce_scatter(Plan& plan) {
    const std::size_t n = plan.values.size();
    const std::size_t n_slot = max_part(n, size_);
    const std::size_t n_own = part_of(n, rank_, size_).size();
    // A part as it travels: the floats themselves, or encoded in a place of its own.
    const auto travelling = [&](int rank) {
        return is_exact() ? std::as_writable_bytes(part(plan.values, rank, size_))
                          : encoded_part(rank, n);
    };
    for (const int peer : others_) plan.messages.receive(peer, slot(peer, n_slot, n_own));
    for (const int peer : others_) plan.messages.send(peer, travelling(peer));
    plan.messages.end_phase();
    for (const int peer : others_) plan.messages.receive(peer, travelling(peer));
    for (const int peer : others_) plan.messages.send(peer, travelling(rank_));
    plan.messages.end_phase();
}

/// In step s a rank passes on part start − s and receives the one before: first partial sums,
/// start = rank, then whole ones, start = rank + 1.
void Allreduce::plan_ring(Plan& plan) {
    const int next = (rank_ + 1) % size_;
    const int previous = (rank_ - 1 + size_) % size_;
    for (const bool is_whole : {false, true}) {
        const int start = rank_ + (is_whole ? 1 : 0);
        for (int step = 0; step < size_ - 1; ++step) {
            const auto outgoing = part(plan.values, (start - step + size_) % size_, size_);
            const auto incoming = part(plan.values, (start - step - 1 + size_) % size_, size_);
            plan.messages.receive(previous, is_whole ? std::as_writable_bytes(incoming)
                                                     : buffer_.span().first(incoming.size_bytes()));
            plan.messages.send(next, std::as_bytes(outgoing));
            plan.messages.end_phase();
        }
    }
}

} // namespace pillar::comm
