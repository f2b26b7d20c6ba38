// The draft model's own steps: what it has not read yet, then a token a step for each sequence, as
// long as a further one is likely to pay.

#include "pillar/speculation/model_draft.hpp"

#include "pillar/core/elementary.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace pillar::speculation {

namespace {

using cache::PageTables;

/// Classes of confidence: how probable the draft model finds its likeliest token.
constexpr std::array<double, 6> least_of_class{0, 0.3, 0.5, 0.7, 0.85, 0.95};
constexpr std::array<double, 6> beliefs{0.3, 0.45, 0.6, 0.75, 0.85, 0.95};

/// Steps of a try: one token right or wrong would tell little, and the first costs the most.
constexpr std::size_t tries_at_a_time = 6;

/// Among its best candidates, which hold nearly all.
std::size_t class_of(std::span<const sampling::Candidate> sorted) noexcept {
    std::array<double, draft_candidates> terms{};
    const std::size_t n = std::min(sorted.size(), terms.size());
    for (std::size_t i = 0; i < n; ++i)
        terms[i] = static_cast<double>(sorted[i].logit) - static_cast<double>(sorted[0].logit);
    exp_f64(std::span(terms).first(n));
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += terms[i];
    const double probability = 1 / sum;
    std::size_t one = 0;
    while (one + 1 < least_of_class.size() && probability >= least_of_class[one + 1]) ++one;
    return one;
}

std::int32_t narrow(std::size_t n) noexcept {
    return static_cast<std::int32_t>(n);
}

std::size_t common(std::span<const tokenizer::TokenId> a, std::span<const tokenizer::TokenId> b) {
    return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

} // namespace

ModelProposer::ModelProposer(const ModelDraftOptions& options, Keeps keeps)
    : options_(options), keeps_(std::move(keeps)), acceptance_(beliefs),
      pages_(options.n_pages, options.max_sequences, options.n_context, 0),
      slots_(options.max_sequences), drafts_(options.max_sequences),
      choices_(options.n_most * options.max_sequences) {
    expects(options.n_most <= engine::max_draft, "a sequence is proposed few tokens");
    for (Slot& slot : slots_) slot.cached.reserve(options.n_context + 1);
    for (Draft& draft : drafts_) {
        draft.tokens.reserve(options.n_most);
        draft.classes.reserve(options.n_most);
        draft.probability.reserve(options.n_most);
    }
}

/// Tokens a sequence with which all of them together get the most tokens a second, as far as it is
/// known beforehand. 0: none pays.
std::size_t ModelProposer::length_worth(std::size_t n_sequences) const noexcept {
    const double plain_s = times_.of(n_sequences), draft_s = draft_times_.of(n_sequences);
    std::size_t best = 0;
    double best_s = plain_s / least_gain, expected = 1, all_right = 1; // of a token each
    for (std::size_t n = 1; n <= options_.n_most; ++n) {
        all_right *= acceptance_.mean();
        expected += all_right;
        const double cycle_s = times_.of(n_sequences * (1 + n)) + static_cast<double>(n) * draft_s;
        if (cycle_s / expected >= best_s) continue;
        best_s = cycle_s / expected;
        best = n;
    }
    return best;
}

/// Behind tokens that are all right with this probability: what one more brings beside what it
/// costs, a draft's step and a row of the model's, where tokens cost what they do without drafts.
bool ModelProposer::is_worth_another(double probability) const noexcept {
    const double a_token_s = times_.of(n_drafts_) / static_cast<double>(n_drafts_);
    const double row_s = times_.of(n_drafts_ + 1) - times_.of(n_drafts_);
    const double draft_s = draft_times_.of(n_drafts_) / static_cast<double>(n_drafts_);
    return probability * acceptance_.mean() * a_token_s > row_s + draft_s;
}

/// It does not pay, as far as is known.
bool ModelProposer::is_tried() noexcept {
    if (n_tries_left_ == 0) {
        if (!retries_.is_due()) return false;
        acceptance_.doubt();
        n_tries_left_ = tries_at_a_time;
    }
    --n_tries_left_;
    return true;
}

void ModelProposer::begin(std::span<const Asked> asked) {
    n_drafts_ = asked.size();
    for (std::size_t i = 0; i < n_drafts_; ++i) {
        Draft& draft = drafts_[i];
        draft.asked = asked[i];
        draft.tokens.clear();
        draft.classes.clear();
        draft.probability.clear();
        draft.n_proposed = 0;
        draft.goes_on = false;
    }
    if (times_.of(n_drafts_) <= 0) return; // the first step tells what one costs
    is_try_ = length_worth(n_drafts_) == 0;
    if (!is_try_) {
        retries_.reset();
        n_tries_left_ = 0;
    } else if (!is_tried()) {
        return;
    }
    for (std::size_t i = 0; i < n_drafts_; ++i) drafts_[i].goes_on = asked[i].n_most > 0;
    is_drafting_ = true;
}

void ModelProposer::keep(std::size_t slot, std::size_t n_positions, engine::StepPlan& plan) {
    Slot& own = slots_[slot];
    pages_.truncate(narrow(slot), narrow(n_positions));
    plan.keeps.push_back({narrow(slot), narrow(n_positions), -1, narrow(own.first)});
    own.cached.resize(n_positions);
    own.n_computed = std::min(own.n_computed, n_positions);
}

/// With nothing in its cache, whose first position is to be this one of the sequence.
void ModelProposer::begin_anew(std::size_t slot, std::size_t first, engine::StepPlan& plan) {
    slots_[slot].first = first;
    keep(slot, 0, plan);
}

/// Cut the draft's cache to what it has in common with the sequence, or let it begin with pages of
/// another one, or behind what would take too long to read. The last token is always to be read:
/// what follows it is asked for.
void ModelProposer::find_common(Draft& draft, engine::StepPlan& plan) {
    const auto s = static_cast<std::size_t>(draft.asked.slot);
    Slot& own = slots_[s];
    const engine::Sequence& sequence = *draft.asked.sequence;
    const auto wanted = sequence.tokens().first(sequence.tokens().size() - 1);
    const bool is_new = own.number != sequence.number();
    own.number = sequence.number();
    if (own.first > 0 && (is_new || own.first > wanted.size())) begin_anew(s, 0, plan);
    std::size_t n = common(own.cached, wanted.subspan(own.first));
    if (is_new && options_.shares_pages && slots_.size() > 1) {
        n = PageTables::in_whole_pages(n); // others may hold the rest of the last page
        std::size_t from = s;
        for (std::size_t other = 0; other < slots_.size(); ++other) {
            const std::vector<tokenizer::TokenId>& cached = slots_[other].cached;
            if (slots_[other].first > 0) continue;
            // What was drafted last may still turn out wrong, and be written over.
            const std::size_t n_computed = slots_[other].n_computed;
            const std::size_t n_sure = n_computed - std::min(n_computed, engine::max_draft);
            const std::size_t n_there =
                PageTables::in_whole_pages(std::min(n_sure, common(cached, wanted)));
            if (n_there > n) {
                n = n_there;
                from = other;
            }
        }
        if (from != s) {
            begin_anew(s, 0, plan);
            pages_.share(narrow(s), narrow(from), narrow(n));
            plan.keeps.push_back({narrow(s), narrow(n), narrow(from)});
            own.cached.assign(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(n));
            return;
        }
    }
    if (n < own.cached.size()) keep(s, keeps_(narrow(s), narrow(n)) ? n : 0, plan);
    if (!is_try_ || wanted.size() - own.first - own.cached.size() <= most_caught_up) return;
    begin_anew(s, wanted.size() - most_caught_up, plan);
}

/// Pages up to position `last`, at the cost of sequences that are not asked for.
bool ModelProposer::make_room(std::size_t slot, std::size_t last, engine::StepPlan& plan) {
    while (!pages_.reserve(narrow(slot), narrow(last))) {
        const auto is_asked = [&](std::size_t s) {
            return std::ranges::any_of(std::span(drafts_).first(n_drafts_), [s](const Draft& d) {
                return static_cast<std::size_t>(d.asked.slot) == s;
            });
        };
        std::size_t s = 0;
        while (s < slots_.size() && (slots_[s].cached.empty() || is_asked(s))) ++s;
        if (s == slots_.size()) return false;
        begin_anew(s, 0, plan);
        slots_[s].number = -1;
    }
    return true;
}

/// Rows of all that go on; false: there are none.
bool ModelProposer::plan_step(engine::StepPlan& plan) {
    for (Slot& slot : slots_) slot.n_computed = slot.cached.size();
    for (std::size_t i = 0; i < n_drafts_; ++i) {
        Draft& draft = drafts_[i];
        if (!draft.goes_on || plan.rows.size() == options_.max_rows) continue;
        if (draft.tokens.empty()) find_common(draft, plan);
        const auto s = static_cast<std::size_t>(draft.asked.slot);
        const auto known = draft.asked.sequence->tokens();
        const std::size_t n_all = known.size() + draft.tokens.size();
        const std::size_t first = slots_[s].first, begin = first + slots_[s].cached.size();
        const std::size_t end = std::min(n_all, begin + options_.max_rows - plan.rows.size());
        if (!make_room(s, end - 1 - first, plan)) {
            draft.goes_on = false;
            continue;
        }
        for (std::size_t p = begin; p < end; ++p) {
            const tokenizer::TokenId id =
                p < known.size() ? known[p] : draft.tokens[p - known.size()];
            if (static_cast<std::size_t>(id) >= options_.n_vocab) { // no text has it
                draft.goes_on = false;
                break;
            }
            plan.rows.push_back({id, narrow(p), draft.asked.slot, p + 1 == n_all});
            slots_[s].cached.push_back(id);
        }
    }
    if (plan.rows.empty()) return false;
    plan.is_draft = true;
    const bool has_all = std::ranges::all_of(plan.rows, &forward::Row::want_logits);
    plan.phase = has_all ? engine::Phase::decode : engine::Phase::prefill;
    begin_s_ = monotonic_s();
    return true;
}

bool ModelProposer::propose(std::span<const Asked> asked, std::size_t n_rows,
                            engine::StepPlan& plan) {
    if (!is_drafting_) begin(asked);
    if (is_drafting_ && plan_step(plan)) return true;
    is_drafting_ = false;
    choose(n_rows);
    return false;
}

void ModelProposer::drafted(const engine::StepPlan& plan,
                            std::span<const engine::RowOutcome> outcomes) {
    if (plan.rows.size() <= StepTimes::max_rows)
        draft_times_.add(plan.rows.size(), monotonic_s() - begin_s_);
    for (const engine::RowOutcome& outcome : outcomes) {
        const forward::Row& row = plan.rows[outcome.row];
        const auto of =
            std::ranges::find_if(std::span(drafts_).first(n_drafts_), [&row](const Draft& draft) {
                return draft.asked.slot == row.sequence;
            });
        Draft& draft = *of;
        draft.goes_on = false;
        if (outcome.candidates.empty()) continue;
        const std::size_t position = static_cast<std::size_t>(row.position) + 1;
        const tokenizer::TokenId id =
            draft.asked.sequence->would_pick(outcome.candidates, position);
        if (static_cast<std::size_t>(id) >= options_.n_vocab) continue;
        draft.tokens.push_back(id);
        draft.classes.push_back(class_of(outcome.candidates));
        acceptance_.offer(draft.classes.back());
        const double before = draft.probability.empty() ? 1.0 : draft.probability.back();
        draft.probability.push_back(before * acceptance_.of(draft.classes.back()));
        draft.goes_on = !is_try_ &&
                        draft.tokens.size() < std::min(options_.n_most, draft.asked.n_most) &&
                        is_worth_another(draft.probability.back());
    }
}

/// Of what is drafted that which pays: the drafts' steps have been paid for already.
void ModelProposer::choose(std::size_t n_rows) {
    choices_.clear();
    for (std::size_t i = 0; i < n_drafts_; ++i)
        for (const double probability : drafts_[i].probability) choices_.add(i, probability);
    choices_.sort(n_rows);
    const std::size_t n = is_try_ ? choices_.size() : choices_.n_worth(times_, n_drafts_);
    for (std::size_t i = 0; i < n_drafts_; ++i) drafts_[i].n_proposed = choices_.n_of(i, n);
}

std::span<const tokenizer::TokenId> ModelProposer::proposal(std::size_t i) const noexcept {
    return std::span(drafts_[i].tokens).first(drafts_[i].n_proposed);
}

void ModelProposer::checked(std::size_t i, std::size_t n_right, bool is_done) {
    const Draft& draft = drafts_[i];
    for (std::size_t j = 0; j < n_right; ++j) acceptance_.add(draft.classes[j], true);
    if (n_right < draft.n_proposed && !is_done) acceptance_.add(draft.classes[n_right], false);
}

void ModelProposer::step_took(std::size_t n_rows, double seconds) {
    times_.add(n_rows, seconds);
}

} // namespace pillar::speculation
