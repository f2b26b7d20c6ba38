#pragma once
// Proposals of a second, smaller model of the same vocabulary, which runs on the same ranks: the
// loop's draft model. It picks each token with the draw that its position will have, so that
// sampled texts agree as often as the two models do.

#include "pillar/cache/page_tables.hpp"
#include "pillar/engine/proposer.hpp"
#include "pillar/speculation/payoff.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace pillar::speculation {

/// What a draft model reads at most of what it has missed when it is tried again, for it might
/// never pay: with less behind them its proposals are a little worse.
inline constexpr std::size_t most_caught_up = 128;

/// Candidates that tell how sure a draft model is: of every row at least so many are asked for.
inline constexpr std::size_t draft_candidates = 8;

struct ModelDraftOptions {
    std::size_t n_most = 7;     ///< tokens a sequence and step, ≤ engine::max_draft
    std::size_t max_rows = 256; ///< of a step of the draft model
    std::size_t max_sequences = 1;
    std::size_t n_context = 4096;
    std::size_t n_pages = 0;  ///< of the draft's pool
    bool shares_pages = true; ///< Transformer::shares_pages() of the draft
    std::size_t n_vocab = 0;  ///< tokens that both models have
};

class ModelProposer : public engine::Proposer {
  public:
    /// Whether the draft's sequence can be cut to so many positions: Transformer::keeps().
    using Keeps = std::function<bool(std::int32_t slot, std::int32_t n_positions)>;

    ModelProposer(const ModelDraftOptions& options, Keeps keeps);

    bool propose(std::span<const Asked> asked, std::size_t n_rows, engine::StepPlan& plan) override;
    void drafted(const engine::StepPlan& plan,
                 std::span<const engine::RowOutcome> outcomes) override;
    [[nodiscard]] std::span<const tokenizer::TokenId>
    proposal(std::size_t i) const noexcept override;
    void checked(std::size_t i, std::size_t n_right, bool is_done) override;
    void step_took(std::size_t n_rows, double seconds) override;

  private:
    /// A sequence of the draft's cache.
    struct Slot {
        std::vector<tokenizer::TokenId> cached; ///< by position; with what the plan adds
        std::size_t first = 0;      ///< position in the sequence of the draft's position 0
        std::size_t n_computed = 0; ///< of `cached`, before the plan
        std::int32_t number = -1;   ///< of the sequence that they are of
    };
    /// What is drafted for one of the sequences asked for.
    struct Draft {
        Asked asked;
        std::vector<tokenizer::TokenId> tokens;
        std::vector<std::size_t> classes; ///< of confidence, a token each
        std::vector<double> probability;  ///< that a token and all before it are right
        bool goes_on = false;
        std::size_t n_proposed = 0; ///< tokens that are worth checking
    };

    [[nodiscard]] bool is_tried() noexcept;
    [[nodiscard]] std::size_t length_worth(std::size_t n_sequences) const noexcept;
    [[nodiscard]] bool is_worth_another(double probability) const noexcept;
    void begin(std::span<const Asked> asked);
    void find_common(Draft& draft, engine::StepPlan& plan);
    void keep(std::size_t slot, std::size_t n_positions, engine::StepPlan& plan);
    void begin_anew(std::size_t slot, std::size_t first, engine::StepPlan& plan);
    bool make_room(std::size_t slot, std::size_t last, engine::StepPlan& plan);
    bool plan_step(engine::StepPlan& plan);
    void choose(std::size_t n_rows);

    ModelDraftOptions options_;
    Keeps keeps_;
    Acceptance acceptance_;
    StepTimes times_, draft_times_;
    Retries retries_{128, 4};
    cache::PageTables pages_; ///< as the draft's cache will have them after the plan
    std::vector<Slot> slots_;
    std::vector<Draft> drafts_; ///< the first n_drafts_ count
    std::size_t n_drafts_ = 0;
    bool is_drafting_ = false;
    bool is_try_ = false;          ///< one token, which is not believed to pay
    std::size_t n_tries_left_ = 0; ///< of those that follow one another
    double begin_s_ = 0;
    Choices choices_;
};

} // namespace pillar::speculation
