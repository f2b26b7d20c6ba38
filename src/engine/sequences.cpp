#include "sequences.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <limits>

namespace pillar::engine {

Sequences::Sequences(std::size_t max_sequences, std::size_t n_context, const LoopOptions& options)
    : states_(max_sequences), full_logits_(options.full_logits) {
    for (State& state : states_) {
        state.tokens.resize(n_context);
        state.biases.reserve(max_biases);
        state.sampling.parameters = options.sampling;
        state.sampling.n_candidates = static_cast<std::uint16_t>(options.n_candidates);
    }
}

void Sequences::add(std::span<const forward::Row> rows) noexcept {
    for (const forward::Row& row : rows) {
        std::vector<sampling::TokenId>& tokens = states_[index_of(row.sequence)].tokens;
        expects(row.position >= 0 && static_cast<std::size_t>(row.position) < tokens.size(),
                "a row's position lies within the context");
        tokens[static_cast<std::size_t>(row.position)] = row.token;
    }
}

std::size_t Sequences::index_of(std::int32_t sequence) const noexcept {
    expects(sequence >= 0 && static_cast<std::size_t>(sequence) < states_.size(),
            "a plan names sequences that there is room for");
    return static_cast<std::size_t>(sequence);
}

void Sequences::set_tokens(std::int32_t sequence,
                           std::span<const sampling::TokenId> tokens) noexcept {
    std::vector<sampling::TokenId>& own = states_[index_of(sequence)].tokens;
    expects(tokens.size() <= own.size(), "what a sequence begins with lies within the context");
    std::ranges::copy(tokens, own.begin());
}

void Sequences::set_sampling(const StepPlan::Sampling& sampling) noexcept {
    State& state = states_[index_of(sampling.sequence)];
    state.sampling = sampling;
    state.biases.clear();
}

void Sequences::add_bias(const StepPlan::Bias& bias) noexcept {
    State& state = states_[index_of(bias.sequence)];
    expects(state.biases.size() < max_biases, "a sequence has no more biases than there is room");
    state.biases.push_back(bias);
}

void Sequences::share(std::int32_t sequence, std::int32_t from, std::size_t n_positions) noexcept {
    const std::vector<sampling::TokenId>& tokens = states_[index_of(from)].tokens;
    expects(n_positions <= tokens.size(), "what is shared lies within the context");
    std::copy_n(tokens.begin(), n_positions, states_[index_of(sequence)].tokens.begin());
}

std::span<const sampling::TokenId> Sequences::until(std::int32_t sequence,
                                                    std::int32_t position) const noexcept {
    const std::span<const sampling::TokenId> tokens = states_[index_of(sequence)].tokens;
    expects(position >= 0 && static_cast<std::size_t>(position) < tokens.size(),
            "a row's position lies within the context");
    return tokens.first(static_cast<std::size_t>(position) + 1);
}

AdjustedLogits::AdjustedLogits(std::size_t n_logits) : logits_(n_logits), counts_(n_logits) {}

std::span<const float> AdjustedLogits::of(std::span<const float> raw, sampling::TokenId first_id,
                                          const forward::Row& row, const Sequences& sequences,
                                          std::span<const sampling::TokenId> banned) noexcept {
    std::copy(raw.begin(), raw.end(), logits_.begin());
    const auto begin = static_cast<std::size_t>(first_id);
    const auto is_own = [&](sampling::TokenId id) {
        return id >= first_id && static_cast<std::size_t>(id) < begin + logits_.size();
    };
    for (const StepPlan::Bias& bias : sequences.biases(row.sequence))
        if (is_own(bias.id)) logits_[static_cast<std::size_t>(bias.id) - begin] += bias.value;
    sampling::apply_penalties(sequences.sampling_of(row.sequence),
                              sequences.until(row.sequence, row.position), first_id, logits_,
                              counts_);
    if (!sequences.is_banned(row.sequence)) return logits_;
    for (const sampling::TokenId id : banned)
        if (is_own(id))
            logits_[static_cast<std::size_t>(id) - begin] = -std::numeric_limits<float>::infinity();
    return logits_;
}

std::uint64_t AdjustedLogits::size_bytes(std::size_t n_logits) noexcept {
    return n_logits * (sizeof(float) + sizeof(std::uint32_t));
}

} // namespace pillar::engine
