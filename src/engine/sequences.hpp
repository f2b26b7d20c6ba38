#pragma once
// What penalties look at, on every rank: each sequence's tokens and sampling parameters; and a row
// of logits after them.

#include "pillar/engine/loop.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::engine {

class Sequences {
  public:
    /// All sequences are sampled as `options` say until a plan says otherwise.
    Sequences(std::size_t max_sequences, std::size_t n_context, const LoopOptions& options);

    /// Tokens by position, as the rows bring them.
    void add(std::span<const forward::Row> rows) noexcept;
    /// The first tokens of a sequence, which no rows bring.
    void set_tokens(std::int32_t sequence, std::span<const sampling::TokenId> tokens) noexcept;
    void set_sampling(const StepPlan::Sampling& sampling) noexcept;
    /// After its set_sampling(), which forgets earlier ones. expects() at most max_biases.
    void add_bias(const StepPlan::Bias& bias) noexcept;
    /// The first `n_positions` tokens are those of `from`.
    void share(std::int32_t sequence, std::int32_t from, std::size_t n_positions) noexcept;

    /// Tokens of the sequence up to and including `position`.
    [[nodiscard]] std::span<const sampling::TokenId> until(std::int32_t sequence,
                                                           std::int32_t position) const noexcept;
    [[nodiscard]] const sampling::Parameters& sampling_of(std::int32_t sequence) const noexcept {
        return states_[index_of(sequence)].sampling.parameters;
    }
    [[nodiscard]] bool is_banned(std::int32_t sequence) const noexcept {
        return states_[index_of(sequence)].sampling.is_banned != 0;
    }
    [[nodiscard]] bool wants_log_sum(std::int32_t sequence) const noexcept {
        return states_[index_of(sequence)].sampling.wants_log_sum != 0;
    }
    [[nodiscard]] std::span<const StepPlan::Bias> biases(std::int32_t sequence) const noexcept {
        return states_[index_of(sequence)].biases;
    }
    /// Candidates that a rank sends for a row of the sequence; 0: its whole row.
    [[nodiscard]] std::size_t n_candidates(std::int32_t sequence) const noexcept {
        return full_logits_ ? 0 : states_[index_of(sequence)].sampling.n_candidates;
    }

    static std::uint64_t size_bytes(std::size_t max_sequences, std::size_t n_context) noexcept {
        return max_sequences *
               (n_context * sizeof(sampling::TokenId) + max_biases * sizeof(StepPlan::Bias));
    }

  private:
    struct State {
        std::vector<sampling::TokenId> tokens; ///< (n_context)
        StepPlan::Sampling sampling;
        std::vector<StepPlan::Bias> biases;
    };
    /// expects() a sequence that there is room for.
    [[nodiscard]] std::size_t index_of(std::int32_t sequence) const noexcept;

    std::vector<State> states_;
    bool full_logits_; ///< of every sequence
};

/// One row of logits after penalties and bans, in memory of its own.
class AdjustedLogits {
  public:
    /// Has room for rows of `n_logits`.
    explicit AdjustedLogits(std::size_t n_logits);

    /// Those of `raw` (n_logits, ids from `first_id` on) with the biases, then the penalties of the
    /// row's sequence; −∞ for banned ids. Valid until the next call.
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
