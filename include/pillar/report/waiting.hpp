#pragma once
// Who waited for whom: of every rank how long, until the rank came that it could not go on without.

#include "pillar/trace/reader.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace pillar::report {

class WaitingMatrix {
  public:
    explicit WaitingMatrix(std::size_t n_ranks = 0)
        : n_(n_ranks), wait_s_(n_ranks * n_ranks), uncertainty_s_(n_ranks * n_ranks) {}

    [[nodiscard]] std::size_t n_ranks() const noexcept { return n_; }
    /// What `rank` waited for `cause`; seconds, summed over steps.
    [[nodiscard]] double wait_s(std::size_t rank, std::size_t cause) const {
        return wait_s_[rank * n_ + cause];
    }
    /// How far it may be off because clocks are.
    [[nodiscard]] double uncertainty_s(std::size_t rank, std::size_t cause) const {
        return uncertainty_s_[rank * n_ + cause];
    }
    /// All that a rank waited, and all that was waited for it.
    [[nodiscard]] double waited_s(std::size_t rank) const;
    [[nodiscard]] double caused_s(std::size_t cause) const;
    [[nodiscard]] double caused_uncertainty_s(std::size_t cause) const;
    [[nodiscard]] double total_s() const;
    void add(std::size_t rank, std::size_t cause, double wait_s, double uncertainty_s);
    /// Of as many ranks.
    void add(const WaitingMatrix& other);

    /// The trace has not recorded it: what ranks waited in a step was put to the rank that computed
    /// longest in it.
    bool is_estimated = false;
    /// Of the decode steps that the sums are of.
    std::size_t n_steps = 0;

  private:
    std::size_t n_;
    std::vector<double> wait_s_; ///< (rank, cause)
    std::vector<double> uncertainty_s_;
};

/// Of all decode steps, the first one too.
[[nodiscard]] WaitingMatrix waiting_of(const trace::Trace& trace);

/// The rank for which most was waited, where that is above what clocks can tell.
struct WaitedForMost {
    std::size_t cause = 0;
    double share = 0;                       ///< of all waiting
    std::optional<std::size_t> only_waiter; ///< nine tenths of it were one rank's
};
[[nodiscard]] std::optional<WaitedForMost> waited_for_most(const WaitingMatrix& matrix);

} // namespace pillar::report
