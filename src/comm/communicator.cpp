// What a communicator does that needs no more: nothing; and the entry of a finished collective.

#include "pillar/comm/communicator.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::comm {

void Communicator::reserve(std::size_t /*max_allreduce_floats*/) {}
void Communicator::reserve_exact(std::size_t /*max_floats*/) {}
void Communicator::set_in_steps(bool /*in_steps*/) noexcept {}
void Communicator::set_allreduces_a_layer(std::size_t /*n*/) noexcept {}
void Communicator::heartbeat() noexcept {}

// Without messages there is nothing to gain: all at once, at the end.
void Communicator::start_allreduce(std::span<float> values) {
    started_ = values;
    is_started_exact_ = false;
}
void Communicator::start_exact_allreduce(std::span<float> values) {
    started_ = values;
    is_started_exact_ = true;
}
void Communicator::exact_allreduce(std::span<float> values) {
    allreduce(values);
}
void Communicator::advance_allreduce() noexcept {}
void Communicator::finish_allreduce() {
    if (is_started_exact_)
        exact_allreduce(started_);
    else
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
