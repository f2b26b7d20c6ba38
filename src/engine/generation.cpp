#include "pillar/engine/generation.hpp"

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

} // namespace

Generation::Generation(const tokenizer::Tokenizer& tokenizer,
                       std::vector<tokenizer::TokenId> prompt, std::string prompt_text,
                       const GenerationOptions& options, OnText on_text)
    : tokenizer_(&tokenizer), prompt_(std::move(prompt)), prompt_text_(std::move(prompt_text)),
      options_(options), on_text_(std::move(on_text)),
      sampler_(options.sampling,
               std::max<std::size_t>(sampling::max_candidates, tokenizer.vocabulary().size())),
      decoder_(tokenizer), stops_(options.stops) {
    timings_.n_prompt = static_cast<std::uint32_t>(prompt_.size());
    generated_.reserve(options.n_context);
}

bool Generation::next(StepPlan& plan) {
    if (start_s_ == 0) start_s_ = last_token_s_ = monotonic_s();
    if (reason_ != FinishReason::none) return false;
    const auto position = [](std::size_t p) { return static_cast<std::int32_t>(p); };
    if (n_fed_ < prompt_.size()) {
        plan.phase = phase_ = Phase::prefill;
        const std::size_t end = std::min(n_fed_ + options_.max_rows, prompt_.size());
        for (std::size_t p = n_fed_; p < end; ++p)
            plan.rows.push_back({prompt_[p], position(p), 0, p + 1 == prompt_.size()});
    } else {
        plan.phase = phase_ = Phase::decode;
        plan.rows.push_back({generated_.back(), position(n_fed_), 0, true});
    }
    return true;
}

void Generation::done(std::uint64_t step, const StepPlan& plan,
                      std::span<const RowOutcome> outcomes, bool signalled) {
    n_fed_ += plan.rows.size();
    if (phase_ == Phase::prefill) record_prompt(step, plan.rows);
    if (!outcomes.empty()) {
        const double now_s = monotonic_s();
        if (phase_ == Phase::prefill) timings_.prompt_s = now_s - start_s_;
        if (options_.n_predict == 0)
            finish(FinishReason::length);
        else
            accept(step, outcomes.front());
    }
    if (signalled && reason_ == FinishReason::none) finish(FinishReason::signal);
}

void Generation::record_prompt(std::uint64_t step, std::span<const forward::Row> rows) {
    if (observer_ == nullptr) return;
    const double now_s = monotonic_s();
    for (const forward::Row& row : rows) {
        observer_->token({step, row.sequence, row.position, row.token, Phase::prefill,
                          now_s - last_token_s_, std::numeric_limits<float>::quiet_NaN()});
        last_token_s_ = now_s; // the rest of the chunk came with it
    }
}

void Generation::accept(std::uint64_t step, const RowOutcome& outcome) {
    if (outcome.candidates.empty())
        throw Error(ExitCode::bad_data,
                    "the model gave no number for any token (all logits are NaN); the file's "
                    "weights are damaged, try `pillar inspect` and download it again");
    const double draw = sampling::uniform(options_.sampling.seed, 0, n_fed_);
    const tokenizer::TokenId id = sampler_.pick(outcome.candidates, draw);
    const double now_s = monotonic_s();
    if (timings_.n_generated == 0) timings_.prompt_s = now_s - start_s_;
    generated_.push_back(id);
    ++timings_.n_generated;
    timings_.generation_s = now_s - start_s_ - timings_.prompt_s;
    if (observer_ != nullptr) {
        const auto chosen = std::find_if(outcome.candidates.begin(), outcome.candidates.end(),
                                         [id](const sampling::Candidate& c) { return c.id == id; });
        const float raw =
            outcome.raw_logits[static_cast<std::size_t>(chosen - outcome.candidates.begin())];
        observer_->token({step, 0, static_cast<std::int32_t>(n_fed_), id, phase_,
                          now_s - last_token_s_, log_probability(raw, outcome.log_sum)});
    }
    last_token_s_ = now_s;
    if (!options_.ignore_eos && tokenizer_->ends_generation(id)) return finish(FinishReason::stop);
    show(stops_.push(decoder_.push(id)));
    if (stops_.has_stopped()) return finish(FinishReason::stop);
    if (options_.n_predict >= 0 &&
        timings_.n_generated >= static_cast<std::uint32_t>(options_.n_predict))
        return finish(FinishReason::length);
    if (n_fed_ >= options_.n_context) finish(FinishReason::context_full);
}

void Generation::show(std::string_view text) {
    completion_ += text;
    if (!text.empty()) on_text_(text);
}

void Generation::finish(FinishReason reason) {
    reason_ = reason;
    if (!stops_.has_stopped()) show(stops_.push(decoder_.finish()));
    if (!stops_.has_stopped()) show(stops_.rest());
    timings_.total_s = monotonic_s() - start_s_;
    if (observer_ != nullptr)
        observer_->sequence({0, prompt_text_, completion_, timings_.n_prompt, timings_.n_generated,
                             timings_.prompt_s, reason});
}

} // namespace pillar::engine
