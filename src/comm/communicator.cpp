// What all communicators share: names, the gather buffer, the entry of a finished collective.

#include "pillar/comm/communicator.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"

#include <fmt/core.h>

namespace pillar::comm {

std::string_view name_of(Algorithm algorithm) noexcept {
    switch (algorithm) {
    case Algorithm::mpi:
        return "mpi";
    case Algorithm::recursive_doubling:
        return "recursive-doubling";
    case Algorithm::ring:
        return "ring";
    case Algorithm::direct:
        return "direct";
    case Algorithm::reduce_scatter:
        return "two-step";
    }
    return "?";
}

std::string_view name_of(Wire wire) noexcept {
    switch (wire) {
    case Wire::f32:
        return "f32";
    case Wire::f16:
        return "f16";
    case Wire::q8:
        return "q8";
    }
    return "?";
}

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
    for (const auto one : {Algorithm::mpi, Algorithm::recursive_doubling, Algorithm::ring,
                           Algorithm::direct, Algorithm::reduce_scatter})
        if (name_of(one) == name) return one;
    return std::nullopt;
}

std::optional<Wire> wire_named(std::string_view name) noexcept {
    for (const auto one : {Wire::f32, Wire::f16, Wire::q8})
        if (name_of(one) == name) return one;
    return std::nullopt;
}

void require_available(Algorithm algorithm, Wire wire) {
    if (wire == Wire::f32 || algorithm == Algorithm::direct ||
        algorithm == Algorithm::reduce_scatter) {
        return;
    }
    throw UsageError(fmt::format("--wire {} does not go with --allreduce {}: use {}, {} or auto",
                                 name_of(wire), name_of(algorithm), name_of(Algorithm::direct),
                                 name_of(Algorithm::reduce_scatter)));
}

std::vector<Algorithm> tree_algorithms(Wire wire) {
    if (wire != Wire::f32) return {Algorithm::direct, Algorithm::reduce_scatter};
    return {Algorithm::recursive_doubling, Algorithm::direct, Algorithm::reduce_scatter};
}

GatherBuffer::GatherBuffer(int n_ranks, std::size_t capacity, int rank)
    : capacity_(capacity), storage_(size_bytes(n_ranks, capacity, rank)),
      entries_(static_cast<std::size_t>(n_ranks)) {}

std::size_t GatherBuffer::size_bytes(int n_ranks, std::size_t capacity, int rank) noexcept {
    return static_cast<std::size_t>(subtree_size(rank, n_ranks)) * (capacity + gather_header_bytes);
}

std::span<const std::byte> GatherBuffer::of(int rank) const noexcept {
    const Entry& entry = entries_[static_cast<std::size_t>(rank)];
    return storage().subspan(entry.offset, entry.n_bytes);
}

void GatherBuffer::set(int rank, std::size_t offset, std::size_t n_bytes) noexcept {
    expects(offset + n_bytes <= storage_.size(), "a gathered message lies within its buffer");
    entries_[static_cast<std::size_t>(rank)] = {offset, n_bytes};
}

void Communicator::reserve(std::size_t /*max_allreduce_floats*/) {}
void Communicator::set_in_steps(bool /*in_steps*/) noexcept {}
void Communicator::set_allreduces_a_layer(std::size_t /*n*/) noexcept {}
void Communicator::heartbeat() noexcept {}

// Without messages there is nothing to gain: all at once, at the end.
void Communicator::start_allreduce(std::span<float> values) {
    started_ = values;
}
void Communicator::advance_allreduce() noexcept {}
void Communicator::finish_allreduce() {
    allreduce(started_);
}

void Communicator::choose(const AllreduceChoice& /*choice*/) {}

std::vector<double> Communicator::round_trips(int /*peer*/, std::size_t /*n_bytes*/,
                                              int /*n_rounds*/, bool /*together*/) {
    expects(false, "round trips are between ranks of a real job");
    return {};
}

void Communicator::note_step(const CollectiveTiming& timing, const Traffic& sent) noexcept {
    step_traffic_ += sent;
    if (timeline_ == nullptr) return;
    timeline_->traffic += sent;
    expects(timeline_->collectives.size() < timeline_->collectives.capacity(),
            "the step's timeline has room for all its collectives");
    timeline_->collectives.push_back(timing);
}

} // namespace pillar::comm
