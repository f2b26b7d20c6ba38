#pragma once
// Who proposes tokens that may follow sequences, so that one step can check several. Proposals
// never change a text: a row is kept only where its token is the one that was picked.

#include "pillar/engine/sequence.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace pillar::engine {

/// Tokens proposed to a sequence in one step, at most.
inline constexpr std::size_t max_draft = 15;

/// Rank 0 only.
class Proposer {
  public:
    virtual ~Proposer() = default;

    /// A sequence that decodes.
    struct Asked {
        std::int32_t slot = 0; ///< of the cache
        Sequence* sequence = nullptr;
        std::size_t n_most = 0; ///< tokens that there is room for, ≤ max_draft
    };
    /// Before a step with a row of each of these. True: `plan` is a step of the draft model; its
    /// outcomes go to drafted(), and the same is asked again. False: proposal() tells what is
    /// proposed, all together no more than `n_rows` tokens.
    virtual bool propose(std::span<const Asked> asked, std::size_t n_rows, StepPlan& plan) = 0;
    virtual void drafted(const StepPlan& plan, std::span<const RowOutcome> outcomes) = 0;
    /// Of sequence `i` of those asked for.
    [[nodiscard]] virtual std::span<const tokenizer::TokenId>
    proposal(std::size_t i) const noexcept = 0;
    /// Of sequence `i` the first `n_right` tokens were picked, and the next one was not, unless
    /// `is_done`: then the sequence has ended and nobody knows.
    virtual void checked(std::size_t i, std::size_t n_right, bool is_done) = 0;
    /// The step took so long, with the rows of all proposals.
    virtual void step_took(std::size_t n_rows, double seconds) = 0;
};

struct DraftCounts {
    std::uint64_t n_tokens = 0; ///< picked in steps that decode
    std::uint64_t n_rows = 0;   ///< a sequence in such a step each
    std::uint64_t n_proposed = 0;
    std::uint64_t n_accepted = 0;
};

/// Steps of sequences that all decode, with what is proposed for them: what schedulers have in
/// common. Rank 0 only.
class DecodeSteps {
  public:
    /// `proposer`: not owned; nullptr: nothing is proposed.
    DecodeSteps(Proposer* proposer, std::size_t max_sequences);

    /// The rows of these sequences; or a step of the draft model, after which next() and done() go
    /// on with the same ones. `n_rows`: proposals that a step has room for.
    void begin(std::span<const Proposer::Asked> asked, std::size_t n_rows, StepPlan& plan);
    /// A step of the draft model was the last one: go_on() plans the next.
    [[nodiscard]] bool is_under_way() const noexcept { return is_under_way_; }
    void go_on(StepPlan& plan);
    /// Feeds the sequences what a step that was planned here has brought.
    void done(std::uint64_t step, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              StepObserver* observer);
    /// Forget what is under way.
    void stop() noexcept {
        is_under_way_ = false;
        last_ = {};
    }

    [[nodiscard]] const DraftCounts& counts() const noexcept { return counts_; }
    [[nodiscard]] Scheduler::Proposals last() const noexcept { return last_; }
    /// The last planned step is not one of these.
    void forget_last() noexcept { last_ = {}; }

  private:
    Proposer* proposer_;
    std::vector<Proposer::Asked> asked_;
    std::size_t n_rows_ = 0;
    bool is_under_way_ = false;
    double begin_s_ = 0;
    DraftCounts counts_;
    Scheduler::Proposals last_;
};

/// Tokens that a sequence still may get beside the next one.
std::size_t room_for_proposals(const Sequence& sequence) noexcept;

} // namespace pillar::engine
