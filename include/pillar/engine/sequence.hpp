#pragma once
// A sequence as a value: a prompt, how its answer is picked and what ends it, and all that has come
// of it so far. Which rows it wants next and what it makes of their outcome depend on itself alone,
// so its text is the same whatever computes beside it, and when it is set back and computed again.

#include "pillar/engine/loop.hpp"
#include "pillar/engine/stop_texts.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace pillar::engine {

struct SequenceOptions {
    std::int32_t n_predict =
        -1; ///< tokens to generate; −1: until a stop rule or the context is full
    bool ignore_eos = false;
    std::vector<std::string> stops{}; ///< texts that end the answer and are not part of it
    sampling::Parameters sampling;
    /// Added to the logits of these tokens, at most max_biases; of a sequence among others only.
    std::vector<std::pair<tokenizer::TokenId, float>> biases{};
    std::size_t n_context = 4096;
    std::int32_t n_top_logprobs = -1; ///< −1: none are kept; 0: of the picked token alone
};

/// In the form of llama.cpp's end-of-run lines.
struct SequenceTimings {
    std::uint32_t n_prompt = 0;
    std::uint32_t n_generated = 0;
    double prompt_s = 0;     ///< prompt evaluation: until the logits of the last prompt row
    double generation_s = 0; ///< of the tokens after the first
    double total_s = 0;
};

/// ln p of a picked token and of the most probable ones at its place, before penalties.
struct TokenLogprobs {
    tokenizer::TokenId id = 0;
    float logprob = 0;
    std::vector<std::pair<tokenizer::TokenId, float>> top; ///< best first
};

/// Rank 0 only.
class Sequence {
  public:
    using OnText = std::function<void(std::string_view)>; ///< whole characters, as they come

    /// `number` is the sequence's in traces.
    Sequence(const tokenizer::Tokenizer& tokenizer, std::int32_t number,
             std::vector<tokenizer::TokenId> prompt, std::string prompt_text,
             const SequenceOptions& options, OnText on_text);

    [[nodiscard]] std::int32_t number() const noexcept { return number_; }
    [[nodiscard]] const SequenceOptions& options() const noexcept { return options_; }
    /// Prompt and answer so far.
    [[nodiscard]] std::span<const tokenizer::TokenId> tokens() const noexcept { return tokens_; }
    [[nodiscard]] std::span<const tokenizer::TokenId> generated() const noexcept {
        return std::span(tokens_).subspan(timings_.n_prompt);
    }
    /// Positions that are in the cache.
    [[nodiscard]] std::size_t n_fed() const noexcept { return n_fed_; }
    /// Rows until the next token can be picked.
    [[nodiscard]] std::size_t n_left() const noexcept { return tokens_.size() - n_fed_; }
    /// Its next row continues an answer that is in the cache otherwise.
    [[nodiscard]] bool is_decoding() const noexcept {
        return n_left() == 1 && timings_.n_generated > 0;
    }
    [[nodiscard]] bool is_done() const noexcept { return reason_ != FinishReason::none; }

    /// Of the clock: from here on its time runs. Once.
    void start() noexcept;
    /// The next `n` ≤ n_left() rows, of the cache's sequence `slot`.
    void add_rows(std::size_t n, std::int32_t slot, StepPlan& plan) const;
    /// While it decodes: its next row, and one for each token that may follow, all with logits.
    void add_rows_of_draft(std::span<const tokenizer::TokenId> draft, std::int32_t slot,
                           StepPlan& plan) const;
    /// The outcomes of those rows, in order. Returns how many tokens of the draft were right; rows
    /// behind them were in vain.
    std::size_t accept_draft(std::uint64_t step, std::span<const tokenizer::TokenId> draft,
                             std::span<const RowOutcome> outcomes, StepObserver* observer);
    /// What it would pick at `position` from these: what a draft model thinks of it. Only its
    /// scratch changes.
    [[nodiscard]] tokenizer::TokenId would_pick(std::span<const sampling::Candidate> candidates,
                                                std::size_t position);
    /// `n` of its rows are in the cache: by a step, or because another one has the same ones.
    void fed(std::uint64_t step, std::size_t n, StepObserver* observer);
    /// What followed its last token: picks the next one, or ends.
    void accept(std::uint64_t step, const RowOutcome& outcome, StepObserver* observer);
    void finish(FinishReason reason, StepObserver* observer);
    /// Its pages are another's now: everything is fed again, nothing is picked again.
    void set_back() noexcept { n_fed_ = 0; }

    [[nodiscard]] const SequenceTimings& timings() const noexcept { return timings_; }
    [[nodiscard]] FinishReason finish_reason() const noexcept { return reason_; }
    [[nodiscard]] const std::string& prompt_text() const noexcept { return prompt_text_; }
    [[nodiscard]] const std::string& completion() const noexcept { return completion_; }
    /// A generated token each, where options ask for them.
    [[nodiscard]] const std::vector<TokenLogprobs>& logprobs() const noexcept { return logprobs_; }

  private:
    void keep_logprobs(const RowOutcome& outcome, tokenizer::TokenId id, float logprob);
    void show(std::string_view text);

    const tokenizer::Tokenizer* tokenizer_;
    std::int32_t number_;
    std::vector<tokenizer::TokenId> tokens_;
    std::string prompt_text_;
    SequenceOptions options_;
    OnText on_text_;
    sampling::Sampler sampler_;
    tokenizer::StreamDecoder decoder_;
    StopTexts stops_;

    std::string completion_;
    std::vector<TokenLogprobs> logprobs_;
    std::size_t n_fed_ = 0;
    std::size_t n_told_ = 0;       ///< prompt tokens that the observer has heard of
    Phase phase_ = Phase::prefill; ///< of the rows fed last
    FinishReason reason_ = FinishReason::none;
    SequenceTimings timings_;
    double start_s_ = 0;
    double last_token_s_ = 0;
};

} // namespace pillar::engine
