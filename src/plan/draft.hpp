#pragma once
// Whether proposals pay: a step that checks k of them costs more than a step of one row, and brings
// more than one token where they are right.

#include "job.hpp"

#include <cstddef>

namespace pillar::plan {

struct DraftRow {
    std::size_t length = 0;   ///< proposals a step that bring the most; 0: none pays
    double tokens_a_step = 1; ///< in the mean
    double step_s = 0;        ///< proposing and checking
    double cost = 1;          ///< of such a step, in steps without proposals
    perf::Interval tokens_per_s;
    perf::Interval gain; ///< over decoding without proposals
};

/// Tokens of a step with `k` proposals, each right with `acceptance` where those before it were:
/// 1 + a + … + a^k.
double tokens_a_step(std::size_t k, double acceptance) noexcept;

/// The best length with what the profiles say; the intervals are those of that length. `proposer`:
/// the second model on the same nodes, nullptr where the text itself proposes.
DraftRow best_draft(const Job& job, const Job* proposer, const perf::Cluster& cluster,
                    const PlanRequest& request);

} // namespace pillar::plan
