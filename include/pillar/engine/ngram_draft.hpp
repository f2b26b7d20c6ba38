#pragma once
// Proposals without a second model: what followed the last time that the sequence's end occurred in
// it. How many are worth a step is told from how often they were right and from what steps of so
// many rows have cost. Proposals never change a text: a row is kept only where its token is the one
// that was picked.

#include "pillar/sampling/sampling.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pillar::engine {

/// Tokens that are compared at most, and at least, to find the sequence's end earlier in it.
inline constexpr std::size_t max_suffix = 8, min_suffix = 2;
inline constexpr std::size_t max_draft = 15;

/// Up to `n` tokens that followed where the longest suffix of `tokens` (min_suffix to max_suffix of
/// them) has occurred before, the latest place of that length. Empty where there is none.
std::span<const sampling::TokenId> continuation(std::span<const sampling::TokenId> tokens,
                                                std::size_t n) noexcept;

/// How many proposals pay.
class DraftLength {
  public:
    /// At most `n_max` ≤ max_draft.
    explicit DraftLength(std::size_t n_max) noexcept : n_max_(n_max) {}

    /// For the next step. 0: none pays; one is tried again now and then.
    [[nodiscard]] std::size_t next() noexcept;
    /// A step with `n_proposed` tokens, the first `n_accepted` of which were right, took so long.
    void add(std::size_t n_proposed, std::size_t n_accepted, double step_s) noexcept;

  private:
    [[nodiscard]] double cost(std::size_t n_proposed) const noexcept;

    std::size_t n_max_;
    double acceptance_ = 0.7; ///< of a proposal whose predecessors were right; moving average
    std::array<double, max_draft + 1> step_s_{}; ///< by proposals; moving averages, 0: none yet
    std::size_t n_since_try_ = 0;
};

struct DraftCounts {
    std::uint64_t n_steps = 0; ///< that picked a token
    std::uint64_t n_proposed = 0;
    std::uint64_t n_accepted = 0;
};

} // namespace pillar::engine
