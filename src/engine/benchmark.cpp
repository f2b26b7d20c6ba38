#include "pillar/engine/benchmark.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>

namespace pillar::engine {

namespace {

constexpr std::uint64_t token_seed = 1;

/// A function of the position alone, so that a context serves every test that begins with it.
sampling::TokenId token_at(std::size_t position, std::size_t vocab_size) noexcept {
    return static_cast<sampling::TokenId>(sampling::uniform(token_seed, 0, position) *
                                          static_cast<double>(vocab_size));
}

} // namespace

void Benchmark::begin(const BenchmarkTest& test) {
    expects(test.n_prompt + test.n_gen > 0 && test.n_batch > 0, "a test computes something");
    test_ = test;
    begin_s_ = end_s_ = 0;
    stopped_ = false;
}

bool Benchmark::next(StepPlan& plan) {
    const std::size_t prompt_end = test_.n_depth + test_.n_prompt;
    if (begin_s_ == 0 && n_present_ > test_.n_depth) {
        n_present_ = !keeps_ || keeps_(test_.n_depth) ? test_.n_depth : 0;
        plan.keeps.push_back({0, static_cast<std::int32_t>(n_present_)});
    }
    if (stopped_ || n_present_ == test_.n_positions()) return false;
    if (begin_s_ == 0 && n_present_ == test_.n_depth) begin_s_ = monotonic_s();
    const std::size_t stage_end = n_present_ < test_.n_depth ? test_.n_depth : prompt_end;
    const bool is_prompt = n_present_ < stage_end;
    const std::size_t end =
        is_prompt ? std::min(n_present_ + test_.n_batch, stage_end) : n_present_ + 1;
    plan.phase = is_prompt ? Phase::prefill : Phase::decode;
    for (std::size_t p = n_present_; p < end; ++p) {
        const bool want_logits = !is_prompt || (p + 1 == prompt_end && test_.n_prompt > 0);
        plan.rows.push_back(
            {token_at(p, vocab_size_), static_cast<std::int32_t>(p), 0, want_logits});
    }
    return true;
}

void Benchmark::done(std::uint64_t /*step*/, const StepPlan& plan,
                     std::span<const RowOutcome> /*outcomes*/, bool signalled) {
    n_present_ += plan.rows.size();
    if (begin_s_ != 0) end_s_ = monotonic_s();
    stopped_ = signalled;
}

} // namespace pillar::engine
