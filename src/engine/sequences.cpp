#include "sequences.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <limits>

namespace pillar::engine {

Sequences::Sequences(std::size_t max_sequences, std::size_t n_context,
                     const sampling::Parameters& sampling)
    : tokens_(max_sequences, std::vector<sampling::TokenId>(n_context)),
      parameters_(max_sequences, sampling) {}

void Sequences::add(std::span<const forward::Row> rows) noexcept {
    for (const forward::Row& row : rows) {
        std::vector<sampling::TokenId>& tokens = tokens_[index_of(row.sequence)];
        expects(row.position >= 0 && static_cast<std::size_t>(row.position) < tokens.size(),
                "a row's position lies within the context");
        tokens[static_cast<std::size_t>(row.position)] = row.token;
    }
}

std::size_t Sequences::index_of(std::int32_t sequence) const noexcept {
    expects(sequence >= 0 && static_cast<std::size_t>(sequence) < tokens_.size(),
            "a plan names sequences that there is room for");
    return static_cast<std::size_t>(sequence);
}

void Sequences::set_sampling(const StepPlan::Sampling& sampling) noexcept {
    parameters_[index_of(sampling.sequence)] = sampling.parameters;
}

std::span<const sampling::TokenId> Sequences::until(std::int32_t sequence,
                                                    std::int32_t position) const noexcept {
    const std::span<const sampling::TokenId> tokens = tokens_[index_of(sequence)];
    expects(position >= 0 && static_cast<std::size_t>(position) < tokens.size(),
            "a row's position lies within the context");
    return tokens.first(static_cast<std::size_t>(position) + 1);
}

const sampling::Parameters& Sequences::sampling_of(std::int32_t sequence) const noexcept {
    return parameters_[index_of(sequence)];
}

AdjustedLogits::AdjustedLogits(std::size_t n_logits) : logits_(n_logits), counts_(n_logits) {}

std::span<const float> AdjustedLogits::of(std::span<const float> raw, sampling::TokenId first_id,
                                          const forward::Row& row, const Sequences& sequences,
                                          std::span<const sampling::TokenId> banned) noexcept {
    std::copy(raw.begin(), raw.end(), logits_.begin());
    sampling::apply_penalties(sequences.sampling_of(row.sequence),
                              sequences.until(row.sequence, row.position), first_id, logits_,
                              counts_);
    const auto begin = static_cast<std::size_t>(first_id);
    for (const sampling::TokenId id : banned) {
        const auto index = static_cast<std::size_t>(id);
        if (index >= begin && index < begin + logits_.size())
            logits_[index - begin] = -std::numeric_limits<float>::infinity();
    }
    return logits_;
}

std::uint64_t AdjustedLogits::size_bytes(std::size_t n_logits) noexcept {
    return n_logits * (sizeof(float) + sizeof(std::uint32_t));
}

} // namespace pillar::engine
