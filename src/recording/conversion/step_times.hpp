#pragma once
// A step's time on every rank, divided into computing, waiting for others and moving bytes.
//
// For a rank that entered a collective at b and left it at e, let L be the latest arrival among the
// ranks without which it cannot leave, on one clock. Then wait = L − b, clipped to [0, e − b], and
// wire = (e − b) − wait. Who these ranks are depends on the collective (comm/schedule.hpp):
//   all-reduce  everybody: each result has a term of each rank;
//   broadcast   the ranks on the way from the root of the binomial tree: the root waits for nobody,
//               the others for rank 0 and for those that pass its message on;
//   gather      the ranks below in the tree: the root waits for all, a leaf for nobody.
// A rank never waits for itself. Sending to a rank that is not there yet is wire, not waiting: the
// messages are buffered. L may be off by the largest uncertainty of a clock and b by its own, so a
// wait is known to their sum.
//
// A step begins when rank 0 begins it. Other ranks come early to its broadcast, while rank 0
// samples, writes or waits for a user: that is idle time, outside the step. So on every rank
// compute + wait + wire = its end − max(its begin, rank 0's begin).

#include "clock.hpp"
#include "journal/step_walk.hpp"

#include "pillar/trace/rows.hpp"

#include <span>
#include <vector>

namespace pillar::recording {

/// What all ranks together saw of one collective: means over the ranks.
struct CollectiveTimes {
    CollectiveKind kind{};
    std::uint32_t bytes = 0; ///< largest payload of a rank
    double wait_s = 0;
    double wire_s = 0;
};

/// One rank's waiting in one collective, and the rank whose arrival ended it.
struct WaitedFor {
    std::uint32_t rank = 0;
    std::uint32_t cause = 0;
    double wait_s = 0;
    double uncertainty_s = 0;
};

class StepDivider {
  public:
    explicit StepDivider(const ClockTable& clocks);

    /// `steps` and `times`: one entry a rank.
    void divide(std::span<const RankStep> steps, std::span<trace::RankTimes> times);
    /// The collectives of the last step in program order; none when the ranks disagreed.
    [[nodiscard]] std::span<const CollectiveTimes> collectives() const noexcept {
        return collectives_;
    }
    /// Who waited for whom in them; of nobody who did not wait.
    [[nodiscard]] std::span<const WaitedFor> waits() const noexcept { return waits_; }
    /// What a rank spent in a collective of the last step.
    struct Part {
        double wait_s = 0;
        double wire_s = 0;
    };
    /// (collective) of a rank; none when the ranks disagreed or its record is missing.
    [[nodiscard]] std::span<const Part> parts(std::size_t rank) const noexcept {
        return parts_[rank];
    }

  private:
    void place(std::span<const RankStep> steps);
    void divide_one(std::size_t k, std::span<const RankStep> steps,
                    std::span<trace::RankTimes> times);
    void find_latest(CollectiveKind kind, std::size_t k);

    const ClockTable* clocks_;
    std::vector<std::size_t> parents_;        ///< in the binomial tree; the root is its own
    std::vector<std::vector<double>> begins_; ///< (rank, collective), rank 0's clock; −∞: missing
    std::vector<double> latest_; ///< (rank): L of the collective in hand, −∞: waits for nobody
    std::vector<std::size_t> latest_rank_; ///< (rank): whose arrival L is
    std::vector<CollectiveTimes> collectives_;
    std::vector<WaitedFor> waits_;
    std::vector<std::vector<Part>> parts_; ///< (rank, collective)
    double step_begin_s_ = 0;              ///< rank 0's
    std::vector<double> uncertainties_s_;  ///< (rank)
    double uncertainty_s_ = 0;             ///< the largest
};

} // namespace pillar::recording
