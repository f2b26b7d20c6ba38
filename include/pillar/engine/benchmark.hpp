#pragma once
// Prompt and generation tests as llama-bench has them: synthetic tokens, fed through the same steps
// as real ones (broadcast, forward pass, gather of candidates), timed on rank 0. A scheduler for
// engine::Loop.

#include "pillar/engine/loop.hpp"

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace pillar::engine {

/// One repetition: at a context of `n_depth` positions, evaluate `n_prompt` tokens in chunks of
/// `n_batch`, then generate `n_gen`. What is there of the depth already, and not forgotten, is not
/// computed again.
struct BenchmarkTest {
    std::size_t n_prompt = 0;
    std::size_t n_gen = 0;
    std::size_t n_depth = 0;
    std::size_t n_batch = 256;
    [[nodiscard]] std::size_t n_positions() const noexcept { return n_depth + n_prompt + n_gen; }
};

/// Rank 0 only.
class Benchmark : public Scheduler {
  public:
    /// Whether the model's sequence 0 can be cut to so many positions.
    using Keeps = std::function<bool(std::size_t)>;

    /// Without `keeps` the sequence can be cut anywhere.
    explicit Benchmark(std::size_t vocab_size, Keeps keeps = {})
        : vocab_size_(vocab_size), keeps_(std::move(keeps)) {}

    /// What the next Loop::run feeds. n_batch ≤ the transformer's max_rows.
    void begin(const BenchmarkTest& test);
    bool next(StepPlan& plan) override;
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool signalled) override;

    /// Time of prompt and generation in the last run; the depth's is not in it.
    [[nodiscard]] double elapsed_s() const noexcept { return end_s_ - begin_s_; }

  private:
    std::size_t vocab_size_;
    Keeps keeps_;
    BenchmarkTest test_;
    std::size_t n_present_ = 0; ///< positions in the cache
    double begin_s_ = 0;
    double end_s_ = 0;
    bool stopped_ = false;
};

} // namespace pillar::engine
