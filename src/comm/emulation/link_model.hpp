#pragma once
// One rank's cable to the switch, in arithmetic: a message of n bytes takes n·G to leave, α to come
// over, and n·G to enter, where leaving and entering overlap. Each direction carries one message at
// a time, so that many messages to one rank queue up there.

#include "pillar/comm/network_model.hpp"

#include <algorithm>
#include <cstddef>

namespace pillar::comm {

class LinkModel {
  public:
    explicit LinkModel(const NetworkModel& network) noexcept : network_(network) {}

    /// A message is handed over at `now_s`; returns when its first byte leaves.
    double depart(double now_s, std::size_t n_bytes) noexcept {
        const double departure_s = std::max(now_s, sending_until_s_);
        sending_until_s_ = departure_s + duration_s(n_bytes);
        return departure_s;
    }

    /// A message left its sender at `departure_s`; returns when its last byte is here. Call it in
    /// the order of departures.
    double arrive(double departure_s, std::size_t n_bytes) noexcept {
        const double begin_s = std::max(departure_s + network_.latency_s, receiving_until_s_);
        receiving_until_s_ = begin_s + duration_s(n_bytes);
        return receiving_until_s_;
    }

  private:
    [[nodiscard]] double duration_s(std::size_t n_bytes) const noexcept {
        return static_cast<double>(n_bytes) * network_.s_per_byte;
    }

    NetworkModel network_;
    double sending_until_s_ = 0;
    double receiving_until_s_ = 0;
};

} // namespace pillar::comm
