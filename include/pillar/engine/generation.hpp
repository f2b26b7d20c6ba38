#pragma once
// One prompt, one answer: prefill in chunks, then decode until a stop rule. A scheduler for
// engine::Loop on rank 0.

#include "pillar/engine/loop.hpp"
#include "pillar/engine/stop_texts.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pillar::engine {

struct GenerationOptions {
    std::int32_t n_predict =
        -1; ///< tokens to generate; −1: until a stop rule or the context is full
    bool ignore_eos = false;
    std::vector<std::string> stops{}; ///< texts that end the answer and are not part of it
    sampling::Parameters sampling;
    std::size_t max_rows = 256; ///< prompt rows a step (-b)
    std::size_t n_context = 4096;
};

/// In the form of llama.cpp's end-of-run lines.
struct GenerationTimings {
    std::uint32_t n_prompt = 0;
    std::uint32_t n_generated = 0;
    double prompt_s = 0;     ///< prompt evaluation: until the logits of the last prompt row
    double generation_s = 0; ///< of the tokens after the first
    double total_s = 0;
};

/// Rank 0 only.
class Generation : public Scheduler {
  public:
    using OnText = std::function<void(std::string_view)>; ///< whole characters, as they come

    Generation(const tokenizer::Tokenizer& tokenizer, std::vector<tokenizer::TokenId> prompt,
               std::string prompt_text, const GenerationOptions& options, OnText on_text);

    /// Gets the tokens and the sequence as they come. Not owned.
    void observe(StepObserver* observer) noexcept { observer_ = observer; }
    bool next(StepPlan& plan) override;
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool signalled) override;

    [[nodiscard]] const GenerationTimings& timings() const noexcept { return timings_; }
    [[nodiscard]] FinishReason finish_reason() const noexcept { return reason_; }
    [[nodiscard]] const std::string& completion() const noexcept { return completion_; }
    [[nodiscard]] const std::vector<tokenizer::TokenId>& generated() const noexcept {
        return generated_;
    }

  private:
    void record_prompt(std::uint64_t step, std::span<const forward::Row> rows);
    void accept(std::uint64_t step, const RowOutcome& outcome);
    void show(std::string_view text);
    void finish(FinishReason reason);

    const tokenizer::Tokenizer* tokenizer_;
    std::vector<tokenizer::TokenId> prompt_;
    std::string prompt_text_;
    GenerationOptions options_;
    OnText on_text_;
    sampling::Sampler sampler_;
    tokenizer::StreamDecoder decoder_;
    StopTexts stops_;
    StepObserver* observer_ = nullptr;

    std::vector<tokenizer::TokenId> generated_;
    std::string completion_;
    std::size_t n_fed_ = 0; ///< tokens that have been given to the model
    Phase phase_ = Phase::prefill;
    FinishReason reason_ = FinishReason::none;
    GenerationTimings timings_;
    double start_s_ = 0;
    double last_token_s_ = 0;
};

} // namespace pillar::engine
