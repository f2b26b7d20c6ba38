#include "pillar/speculation/ngram.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <array>

namespace pillar::speculation {

namespace {

/// Classes of confidence: the longer the suffix that occurred before, the likelier what followed.
constexpr std::array<std::size_t, 6> first_of_class{2, 3, 4, 6, 9, 16};
constexpr std::array<double, 6> beliefs{0.3, 0.4, 0.5, 0.65, 0.8, 0.9};

std::size_t class_of(std::size_t n_suffix) noexcept {
    std::size_t one = 0;
    while (one + 1 < first_of_class.size() && n_suffix >= first_of_class[one + 1]) ++one;
    return one;
}

} // namespace

Continuation continuation(std::span<const sampling::TokenId> tokens) noexcept {
    const std::size_t size = tokens.size();
    std::size_t best = 0, best_length = min_suffix - 1;
    for (std::size_t end = size - 1; end >= min_suffix && best_length < max_suffix; --end) {
        std::size_t length = 0; // tokens [end − length, end) are the last ones
        while (length < std::min(max_suffix, end) &&
               tokens[end - 1 - length] == tokens[size - 1 - length])
            ++length;
        if (length <= best_length) continue;
        best_length = length;
        best = end;
    }
    if (best == 0) return {};
    return {tokens.subspan(best), best_length};
}

NgramProposer::NgramProposer(std::size_t n_most, std::size_t max_sequences)
    : n_most_(n_most), acceptance_(beliefs), drafts_(max_sequences),
      choices_(n_most * max_sequences) {
    expects(n_most <= engine::max_draft, "a sequence is proposed few tokens");
    for (Draft& draft : drafts_) draft.tokens.reserve(n_most);
}

/// The likeliest tokens of all sequences, as many as pay together.
bool NgramProposer::propose(std::span<const Asked> asked, std::size_t n_rows,
                            engine::StepPlan& /*plan*/) {
    choices_.clear();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const Continuation found = continuation(asked[i].sequence->tokens());
        const std::size_t n_most = found.followed.empty() ? 0 : std::min(n_most_, asked[i].n_most);
        drafts_[i].tokens.clear();
        drafts_[i].n_suffix = found.n_suffix;
        double probability = 1;
        for (std::size_t j = 0; j < n_most; ++j) {
            drafts_[i].tokens.push_back(found.token(j));
            probability *= acceptance_.of(class_of(found.n_suffix + j));
            choices_.add(i, probability);
        }
    }
    choices_.sort(n_rows);
    std::size_t n = choices_.n_worth(times_, asked.size());
    if (n > 0)
        retries_.reset();
    else if (choices_.size() > 0 && retries_.is_due())
        n = 1;
    for (std::size_t i = 0; i < asked.size(); ++i) drafts_[i].tokens.resize(choices_.n_of(i, n));
    return false;
}

void NgramProposer::drafted(const engine::StepPlan& /*plan*/,
                            std::span<const engine::RowOutcome> /*outcomes*/) {
    expects(false, "the text itself needs no steps");
}

std::span<const tokenizer::TokenId> NgramProposer::proposal(std::size_t i) const noexcept {
    return drafts_[i].tokens;
}

void NgramProposer::checked(std::size_t i, std::size_t n_right, bool is_done) {
    const std::size_t n = drafts_[i].tokens.size();
    for (std::size_t j = 0; j < std::min(n_right, n); ++j)
        acceptance_.add(class_of(drafts_[i].n_suffix + j), true);
    if (n_right < n && !is_done) acceptance_.add(class_of(drafts_[i].n_suffix + n_right), false);
}

void NgramProposer::step_took(std::size_t n_rows, double seconds) {
    times_.add(n_rows, seconds);
}

} // namespace pillar::speculation
