#pragma once
// How far one model's distribution of the next token is from another's.

#include "pillar/sampling/sampling.hpp"

#include <cstddef>
#include <span>

namespace pillar::sampling {

/// ln Σ exp of the logits that `sum` stands for.
double log_of(const LogSum& sum) noexcept;

/// Kullback–Leibler divergence Σ p · (ln p − ln q) in nats, p and q the softmax of the two rows of
/// logits: `log_sum_p` and `log_sum_q` are their ln Σ exp. What p holds impossible adds nothing; ∞
/// where q holds impossible what p does not. Terms in f64, added in 16 lanes (index mod 16) and the
/// tree of log_sum(): the same bits everywhere, 0 of a row with itself.
double kl_divergence(std::span<const float> p, double log_sum_p, std::span<const float> q,
                     double log_sum_q) noexcept;

/// Index of the largest, the first of equal ones; a NaN is none. 0 where there is none.
std::size_t best_index(std::span<const float> logits) noexcept;

} // namespace pillar::sampling
