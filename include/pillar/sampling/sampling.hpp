#pragma once
// From logits to the next token: penalties, temperature, top-k, top-p, min-p, a draw. Every rank
// holds a part of the vocabulary: it applies penalties to its own logits and offers its best
// candidates; rank 0 merges and picks. Chain and meaning as llama.cpp's: penalties → top-k → top-p
// → min-p → temperature → draw. Probabilities in f64 with core's own exp; random numbers are a
// function of (seed, sequence, position), so equal bits give equal text.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::sampling {

using TokenId = std::int32_t;

struct Parameters {
    float temperature = 0.80f;       ///< ≤ 0: greedy
    std::int32_t top_k = 40;         ///< ≤ 0: all
    float top_p = 0.95f;             ///< 1: off
    float min_p = 0.05f;             ///< 0: off
    std::int32_t repeat_last_n = 64; ///< −1: whole history
    float repeat_penalty = 1.0f;     ///< 1: off
    float frequency_penalty = 0.0f;
    float presence_penalty = 0.0f;
    std::uint64_t seed = 0;
};

/// Throws UsageError naming the flag that is out of range.
void validate(const Parameters& parameters);

struct Candidate {
    TokenId id = 0;
    float logit = 0;
};

/// Σ over a set of logits relative to its maximum; combines exactly in the slices' tree.
struct LogSum {
    float max = 0;  ///< −∞ for an empty set
    double sum = 0; ///< Σ exp(logit − max), f64
};
LogSum combine(const LogSum& a, const LogSum& b) noexcept;
/// Σexp of one slice's logits: 16 virtual lanes (index mod 16), then the fixed tree (i, i+8),
/// (i, i+4), (i, i+2), (i, i+1). NaN counts as −∞.
LogSum log_sum(std::span<const float> logits) noexcept;

/// Most candidates a rank sends for a row.
inline constexpr std::size_t max_candidates = 1024;
/// How many candidates of each rank the chain needs: 1 for greedy, top_k when 1 ≤ top_k ≤ 1024; 0 =
/// full rows.
std::size_t candidates_needed(const Parameters& parameters) noexcept;

/// The order of candidates: the larger logit first; equal logits: lower id first.
bool is_better(const Candidate& a, const Candidate& b) noexcept;

/// The best k of `logits` (ids first_id, first_id+1, …), best first, equal logits: lower id first.
/// Writes ≤ k entries, returns their number. No allocation. NaN logits are never candidates.
std::size_t best_candidates(std::span<const float> logits, TokenId first_id, std::size_t k,
                            std::span<Candidate> out) noexcept;

/// Penalties on own logits for tokens in `history` (most recent last) that lie in [first_id,
/// first_id + logits.size()). Each token of the history is looked at twice, however long it is.
/// `counts`: one a logit, all zero before and after.
void apply_penalties(const Parameters& parameters, std::span<const TokenId> history,
                     TokenId first_id, std::span<float> logits,
                     std::span<std::uint32_t> counts) noexcept;

/// Pick from candidates that are sorted best first (at least one: a row of NaN is the caller's
/// error). `uniform` in [0, 1). Scratch is reused between calls.
class Sampler {
  public:
    /// Throws as validate() does; pick() takes up to `capacity` candidates.
    Sampler(const Parameters& parameters, std::size_t capacity);
    /// Probabilities of the surviving candidates after the whole chain, in order; sums to 1. What
    /// pick() draws from.
    std::span<const double> distribution(std::span<const Candidate> sorted);
    TokenId pick(std::span<const Candidate> sorted, double uniform);
    [[nodiscard]] const Parameters& parameters() const noexcept { return parameters_; }

  private:
    Parameters parameters_;
    std::vector<double> probabilities_;
};

/// Counter-based: the same (seed, sequence, position) gives the same number in [0, 1) with 53 bits
/// on every machine.
double uniform(std::uint64_t seed, std::uint64_t sequence, std::uint64_t position) noexcept;

} // namespace pillar::sampling
