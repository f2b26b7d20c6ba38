#include "pillar/report/waiting.hpp"

#include "pillar/core/errors.hpp"

#include <cmath>

namespace pillar::report {

namespace {

/// The rank that computed longest, of those beside `other` (n_ranks: of all).
std::size_t longest_beside(const trace::Trace& trace, std::size_t step, std::size_t other) {
    std::size_t longest = other == 0 ? 1 : 0;
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank)
        if (rank != other && trace.at(step, rank).compute_s > trace.at(step, longest).compute_s)
            longest = rank;
    return longest;
}

/// From the steps alone.
void estimate(WaitingMatrix& matrix, const trace::Trace& trace, std::size_t step) {
    const std::size_t slowest = longest_beside(trace, step, trace.n_ranks());
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        const trace::RankRow& row = trace.at(step, rank);
        if (!std::isfinite(row.wait_s) || row.wait_s <= 0) continue;
        const std::size_t cause = rank == slowest ? longest_beside(trace, step, rank) : slowest;
        matrix.add(rank, cause, row.wait_s, row.wait_uncertainty_s);
    }
}

} // namespace

double WaitingMatrix::waited_s(std::size_t rank) const {
    double sum_s = 0;
    for (std::size_t cause = 0; cause < n_; ++cause) sum_s += wait_s(rank, cause);
    return sum_s;
}

double WaitingMatrix::caused_s(std::size_t cause) const {
    double sum_s = 0;
    for (std::size_t rank = 0; rank < n_; ++rank) sum_s += wait_s(rank, cause);
    return sum_s;
}

double WaitingMatrix::caused_uncertainty_s(std::size_t cause) const {
    double sum_s = 0;
    for (std::size_t rank = 0; rank < n_; ++rank) sum_s += uncertainty_s(rank, cause);
    return sum_s;
}

double WaitingMatrix::total_s() const {
    double sum_s = 0;
    for (const double one_s : wait_s_) sum_s += one_s;
    return sum_s;
}

void WaitingMatrix::add(std::size_t rank, std::size_t cause, double wait_s, double uncertainty_s) {
    wait_s_[rank * n_ + cause] += wait_s;
    uncertainty_s_[rank * n_ + cause] += uncertainty_s;
}

void WaitingMatrix::add(const WaitingMatrix& other) {
    expects(n_ == other.n_, "runs of one configuration have equal ranks");
    for (std::size_t rank = 0; rank < n_; ++rank)
        for (std::size_t cause = 0; cause < n_; ++cause)
            add(rank, cause, other.wait_s(rank, cause), other.uncertainty_s(rank, cause));
    is_estimated |= other.is_estimated;
    n_steps += other.n_steps;
}

WaitingMatrix waiting_of(const trace::Trace& trace) {
    WaitingMatrix matrix(trace.n_ranks());
    matrix.is_estimated = !trace.details.has_waiting;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        if (trace.steps[i].phase != trace::Phase::decode) continue;
        ++matrix.n_steps;
        if (matrix.is_estimated && trace.n_ranks() > 1) estimate(matrix, trace, i);
    }
    for (const trace::WaitingRow& row : trace.details.waiting)
        if (row.phase == trace::Phase::decode)
            matrix.add(row.rank, row.cause, row.wait_s, row.wait_uncertainty_s);
    return matrix;
}

std::optional<WaitedForMost> waited_for_most(const WaitingMatrix& matrix) {
    const double total_s = matrix.total_s();
    if (matrix.n_ranks() < 2 || total_s <= 0) return std::nullopt;
    WaitedForMost most;
    for (std::size_t cause = 1; cause < matrix.n_ranks(); ++cause)
        if (matrix.caused_s(cause) > matrix.caused_s(most.cause)) most.cause = cause;
    const double caused_s = matrix.caused_s(most.cause);
    if (caused_s <= matrix.caused_uncertainty_s(most.cause)) return std::nullopt;
    most.share = caused_s / total_s;
    for (std::size_t rank = 0; rank < matrix.n_ranks(); ++rank)
        if (matrix.n_ranks() > 2 && matrix.wait_s(rank, most.cause) >= 0.9 * caused_s)
            most.only_waiter = rank;
    return most;
}

} // namespace pillar::report
