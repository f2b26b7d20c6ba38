#pragma once
// How long a step's two small messages are, for plans: what the counters of a run will say.

#include <cstddef>

namespace pillar::engine {

/// Rank 0's request of a step with `n_rows` rows, nothing cut back and no new sampling.
std::size_t request_bytes(std::size_t n_rows) noexcept;

/// A rank's reply: `n_logit_rows` rows with `n_candidates` each (a rank with fewer vocabulary rows
/// sends as many as it has).
std::size_t reply_bytes(std::size_t n_logit_rows, std::size_t n_candidates) noexcept;

} // namespace pillar::engine
