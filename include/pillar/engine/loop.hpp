#pragma once
// The loop that all ranks run together: rank 0 asks its scheduler for the next rows, broadcasts them; everybody
// computes; candidates, hash, error codes and signal flags come back in one gather; the scheduler sees the outcome.
// run, chat and batch are schedulers; the loop is the same.

#include "pillar/comm/communicator.hpp"
#include "pillar/engine/step.hpp"

#include <functional>
#include <span>

namespace pillar::engine {

/// What came back for one row with want_logits. Rank 0 only.
struct RowOutcome {
    std::uint32_t row = 0;                             ///< index in the step's rows
    std::span<const sampling::Candidate> candidates;   ///< best first; after penalties
    sampling::LogSum log_sum;                          ///< of the raw logits of the whole vocabulary
    std::span<const float> full_logits;                ///< whole vocabulary, only when full rows were asked for
};

/// Decides what is computed. Rank 0 only.
class Scheduler {
  public:
    virtual ~Scheduler() = default;
    /// Fill `rows` (clear, then at most max_rows; at most max_logit_rows of them want logits); false ends the loop.
    virtual bool next(std::vector<model::Row>& rows) = 0;
    /// What the step gave. `signalled`: a rank was asked to stop (SIGUSR1); finish what is there.
    virtual void done(std::span<const model::Row> rows, std::span<const RowOutcome> outcomes, bool signalled) = 0;
    /// Raw logit of a candidate of the last step, for log-probabilities. Set by the loop.
    std::function<float(std::uint32_t row, std::int32_t id)> raw_logit;
};

struct LoopOptions {
    sampling::Parameters sampling;   ///< the same on all ranks: penalties are applied where the logits are
    bool full_logits = false;        ///< gather whole rows instead of candidates
};

class Loop {
  public:
    Loop(model::Transformer& transformer, comm::Communicator& comm, const LoopOptions& options);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Not owned; the same kind on every rank.
    void observe(StepObserver* observer) noexcept;

    /// Collective. Run until the scheduler (rank 0's; ignored elsewhere) has nothing more.
    /// Throws comm::AgreedError on all ranks when a rank failed or hashes differ.
    void run(Scheduler* scheduler);

    [[nodiscard]] std::uint64_t n_steps() const noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace pillar::engine
