#include "pillar/engine/sequence.hpp"

#include "pillar/core/elementary.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <limits>

namespace pillar::engine {

namespace {

/// ln p of a raw logit. NaN when the loop was not asked for sums.
float log_probability(float raw, const sampling::LogSum& sum) {
    if (!(sum.sum > 0)) return std::numeric_limits<float>::quiet_NaN();
    return static_cast<float>(static_cast<double>(raw) - static_cast<double>(sum.max) -
                              log_f64(sum.sum));
}

/// What pick() may be given: candidates, or the whole vocabulary.
std::size_t max_choices(const SequenceOptions& options, std::size_t vocab_size) {
    const bool may_be_all =
        sampling::candidates_needed(options.sampling) == 0 || options.n_top_logprobs > 0;
    return may_be_all ? std::max<std::size_t>(sampling::max_candidates, vocab_size)
                      : sampling::max_candidates;
}

} // namespace

Sequence::Sequence(const tokenizer::Tokenizer& tokenizer, std::int32_t number,
                   std::vector<tokenizer::TokenId> prompt, std::string prompt_text,
                   const SequenceOptions& options, OnText on_text)
    : tokenizer_(&tokenizer), number_(number), tokens_(std::move(prompt)),
      prompt_text_(std::move(prompt_text)), options_(options), on_text_(std::move(on_text)),
      sampler_(options.sampling, max_choices(options, tokenizer.vocabulary().size())),
      decoder_(tokenizer), stops_(options.stops) {
    expects(!tokens_.empty(), "a sequence begins with a token");
    timings_.n_prompt = static_cast<std::uint32_t>(tokens_.size());
    tokens_.reserve(options.n_context + 1);
}

void Sequence::start() noexcept {
    if (start_s_ == 0) start_s_ = last_token_s_ = monotonic_s();
}

void Sequence::add_rows(std::size_t n, std::int32_t slot, StepPlan& plan) const {
    expects(n <= n_left(), "a sequence has as many rows as are asked for");
    for (std::size_t p = n_fed_; p < n_fed_ + n; ++p)
        plan.rows.push_back(
            {tokens_[p], static_cast<std::int32_t>(p), slot, p + 1 == tokens_.size()});
}

void Sequence::add_rows_of_draft(std::span<const tokenizer::TokenId> draft, std::int32_t slot,
                                 StepPlan& plan) const {
    expects(is_decoding(), "a draft follows an answer");
    add_rows(1, slot, plan);
    for (std::size_t i = 0; i < draft.size(); ++i)
        plan.rows.push_back({draft[i], static_cast<std::int32_t>(n_fed_ + 1 + i), slot, true});
}

std::size_t Sequence::accept_draft(std::uint64_t step, std::span<const tokenizer::TokenId> draft,
                                   std::span<const RowOutcome> outcomes, StepObserver* observer) {
    std::size_t n_right = 0;
    fed(step, 1, observer);
    accept(step, outcomes[0], observer);
    while (n_right < draft.size() && !is_done() && tokens_.back() == draft[n_right]) {
        ++n_right;
        fed(step, 1, observer);
        accept(step, outcomes[n_right], observer);
    }
    return n_right;
}

void Sequence::fed(std::uint64_t step, std::size_t n, StepObserver* observer) {
    phase_ = is_decoding() ? Phase::decode : Phase::prefill;
    n_fed_ += n;
    if (observer == nullptr) return;
    const double now_s = monotonic_s();
    for (; n_told_ < std::min<std::size_t>(n_fed_, timings_.n_prompt); ++n_told_) {
        observer->token({step, number_, static_cast<std::int32_t>(n_told_), tokens_[n_told_],
                         Phase::prefill, now_s - last_token_s_,
                         std::numeric_limits<float>::quiet_NaN()});
        last_token_s_ = now_s; // the rest of the chunk came with it
    }
}

void Sequence::accept(std::uint64_t step, const RowOutcome& outcome, StepObserver* observer) {
    const double now_s = monotonic_s();
    if (timings_.n_generated == 0) timings_.prompt_s = now_s - start_s_;
    if (options_.n_predict == 0) return finish(FinishReason::length, observer);
    if (outcome.candidates.empty())
        throw Error(ExitCode::bad_data,
                    "the model gave no number for any token (all logits are NaN); the file's "
                    "weights are damaged, try `pillar inspect` and download it again");
    const tokenizer::TokenId id = would_pick(outcome.candidates, n_fed_);
    tokens_.push_back(id);
    ++timings_.n_generated;
    timings_.generation_s = now_s - start_s_ - timings_.prompt_s;
    if (observer != nullptr || options_.n_top_logprobs >= 0) {
        const auto chosen = std::ranges::find(outcome.candidates, id, &sampling::Candidate::id);
        const float raw =
            outcome.raw_logits[static_cast<std::size_t>(chosen - outcome.candidates.begin())];
        const float logprob = log_probability(raw, outcome.log_sum);
        const double sample_s = observer != nullptr ? monotonic_s() - now_s : 0;
        if (options_.n_top_logprobs >= 0) keep_logprobs(outcome, id, logprob);
        if (observer != nullptr)
            observer->token({step, number_, static_cast<std::int32_t>(n_fed_), id, phase_,
                             now_s - last_token_s_, logprob, sample_s});
    }
    last_token_s_ = now_s;
    if (!options_.ignore_eos && tokenizer_->ends_generation(id))
        return finish(FinishReason::stop, observer);
    show(stops_.push(decoder_.push(id)));
    if (stops_.has_stopped()) return finish(FinishReason::stop, observer);
    if (options_.n_predict >= 0 &&
        timings_.n_generated >= static_cast<std::uint32_t>(options_.n_predict))
        return finish(FinishReason::length, observer);
    if (n_fed_ >= options_.n_context) finish(FinishReason::context_full, observer);
}

/// The draw of a position is its own, whoever asks.
tokenizer::TokenId Sequence::would_pick(std::span<const sampling::Candidate> candidates,
                                        std::size_t position) {
    return sampler_.pick(candidates, sampling::uniform(options_.sampling.seed, 0, position));
}

void Sequence::keep_logprobs(const RowOutcome& outcome, tokenizer::TokenId id, float logprob) {
    TokenLogprobs kept{id, logprob, {}};
    std::vector<std::size_t> order(outcome.candidates.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto n =
        std::min<std::size_t>(order.size(), static_cast<std::size_t>(options_.n_top_logprobs));
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(),
                      [&](std::size_t a, std::size_t b) {
                          return sampling::is_better(
                              {outcome.candidates[a].id, outcome.raw_logits[a]},
                              {outcome.candidates[b].id, outcome.raw_logits[b]});
                      });
    for (std::size_t i = 0; i < n; ++i)
        kept.top.emplace_back(outcome.candidates[order[i]].id,
                              log_probability(outcome.raw_logits[order[i]], outcome.log_sum));
    logprobs_.push_back(std::move(kept));
}

void Sequence::show(std::string_view text) {
    completion_ += text;
    if (!text.empty() && on_text_) on_text_(text);
}

void Sequence::finish(FinishReason reason, StepObserver* observer) {
    reason_ = reason;
    if (!stops_.has_stopped()) show(stops_.push(decoder_.finish()));
    if (!stops_.has_stopped()) show(stops_.rest());
    timings_.total_s = monotonic_s() - start_s_;
    if (observer != nullptr)
        observer->sequence({number_, prompt_text_, completion_, timings_.n_prompt,
                            timings_.n_generated, timings_.prompt_s, reason});
}

} // namespace pillar::engine
