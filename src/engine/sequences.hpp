#pragma once
// What penalties look at, on every rank: each sequence's tokens and sampling parameters; and a row
// of logits after them.

#include "pillar/engine/step.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::engine {

class Sequences {
  public:
    /// All sequences are sampled with `sampling` until a plan says otherwise.
    Sequences(std::size_t max_sequences, std::size_t n_context,
              const sampling::Parameters& sampling);

    /// Tokens by position, as the rows bring them.
    void add(std::span<const forward::Row> rows) noexcept;
    void set_sampling(const StepPlan::Sampling& sampling) noexcept;

    /// Tokens of the sequence up to and including `position`.
    [[nodiscard]] std::span<const sampling::TokenId> until(std::int32_t sequence,
                                                           std::int32_t position) const noexcept;
    [[nodiscard]] const sampling::Parameters& sampling_of(std::int32_t sequence) const noexcept;

  private:
    /// expects() a sequence that there is room for.
    [[nodiscard]] std::size_t index_of(std::int32_t sequence) const noexcept;

    std::vector<std::vector<sampling::TokenId>> tokens_;
    std::vector<sampling::Parameters> parameters_;
};

/// One row of logits after penalties and bans, in memory of its own.
class AdjustedLogits {
  public:
    /// Has room for rows of `n_logits`.
    explicit AdjustedLogits(std::size_t n_logits);

    /// Those of `raw` (n_logits, ids from `first_id` on) with the penalties of the row's sequence;
    /// −∞ for banned ids. Valid until the next call.
    std::span<const float> of(std::span<const float> raw, sampling::TokenId first_id,
                              const forward::Row& row, const Sequences& sequences,
                              std::span<const sampling::TokenId> banned) noexcept;

    /// Of both arrays.
    static std::uint64_t size_bytes(std::size_t n_logits) noexcept;

  private:
    std::vector<float> logits_;
    std::vector<std::uint32_t> counts_; ///< of apply_penalties
};

} // namespace pillar::engine
