#include "pillar/engine/continuous_batch.hpp"

#include "messages/reply.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <utility>

namespace pillar::engine {

namespace {

using cache::PageTables;

std::int32_t narrow(std::size_t n) noexcept {
    return static_cast<std::int32_t>(n);
}

/// Positions of whole pages in which two sequences are the same.
std::size_t common_pages(std::span<const tokenizer::TokenId> a,
                         std::span<const tokenizer::TokenId> b) {
    const auto [end, other] = std::ranges::mismatch(a, b);
    return PageTables::in_whole_pages(static_cast<std::size_t>(end - a.begin()));
}

} // namespace

ContinuousBatch::ContinuousBatch(const BatchLimits& limits, Source source, OnFinished on_finished,
                                 Proposer* proposer)
    : limits_(limits), source_(std::move(source)), on_finished_(std::move(on_finished)),
      pages_(limits.n_pages, limits.max_sequences, limits.n_context, 0),
      slots_(limits.max_sequences), decode_(proposer, limits.max_sequences) {
    expects(limits.n_pages >= PageTables::pages_for(limits.n_context),
            "the pool has pages for one context");
    expects(proposer == nullptr || limits.max_logit_rows >= limits.max_sequences,
            "every sequence has a row with logits");
    if (limits_.max_prompt_rows == 0) limits_.max_prompt_rows = limits_.max_rows;
}

void ContinuousBatch::begin_with(std::vector<tokenizer::TokenId> tokens) {
    expects(counts_.n_started == 0, "nothing has begun yet");
    if (tokens.empty()) return;
    expects(pages_.reserve(0, narrow(tokens.size() - 1)), "the pool has pages for one context");
    slots_[0].left = std::move(tokens);
}

void ContinuousBatch::find_computed_prompt() {
    for (const std::size_t s : by_age()) {
        const Sequence& sequence = *slots_[s].running;
        const std::size_t n_prompt = sequence.timings().n_prompt;
        if (sequence.n_fed() < n_prompt || computed_prompt_) continue;
        const auto prompt = sequence.tokens().first(n_prompt);
        computed_prompt_ = {narrow(s), {prompt.begin(), prompt.end()}};
    }
}

/// Running slots, the oldest sequence first.
std::vector<std::size_t> ContinuousBatch::by_age() const {
    std::vector<std::size_t> order;
    for (std::size_t s = 0; s < slots_.size(); ++s)
        if (slots_[s].running) order.push_back(s);
    std::ranges::sort(order, {}, [this](std::size_t s) { return slots_[s].running->number(); });
    return order;
}

void ContinuousBatch::keep(std::size_t slot, std::size_t n_positions, StepPlan& plan) {
    pages_.truncate(narrow(slot), narrow(n_positions));
    plan.keeps.push_back({narrow(slot), narrow(n_positions), -1});
}

/// The most pages that a sequence of these tokens finds computed; one token at least is left.
ContinuousBatch::Prefix
ContinuousBatch::find_prefix(std::span<const tokenizer::TokenId> tokens) const {
    Prefix best;
    if (!limits_.shares_pages) return best;
    const auto wanted = tokens.first(tokens.size() - 1);
    for (std::size_t s = 0; s < slots_.size(); ++s) {
        const Slot& slot = slots_[s];
        const std::span<const tokenizer::TokenId> all =
            slot.running ? slot.running->tokens() : std::span(slot.left);
        const std::size_t n_all = common_pages(wanted, all);
        const std::size_t n_fed = slot.running ? slot.running->n_fed() : slot.left.size();
        const std::size_t n_there = std::min(n_all, PageTables::in_whole_pages(n_fed));
        if (n_there > best.n_positions) best = {s, n_there, best.is_underway};
        if (n_all > n_there) best.is_underway = true;
    }
    return best;
}

void ContinuousBatch::start(std::unique_ptr<Sequence> sequence, const Prefix& prefix,
                            std::size_t slot, StepPlan& plan) {
    Slot& own = slots_[slot];
    if (prefix.n_positions > 0 && prefix.slot == slot) {
        keep(slot, prefix.n_positions, plan);
    } else {
        if (!own.left.empty()) keep(slot, 0, plan);
        if (prefix.n_positions > 0) {
            pages_.share(narrow(slot), narrow(prefix.slot), narrow(prefix.n_positions));
            plan.keeps.push_back({narrow(slot), narrow(prefix.n_positions), narrow(prefix.slot)});
        }
    }
    own.left.clear();
    const SequenceOptions& options = sequence->options();
    const std::size_t n_needed = sampling::candidates_needed(options.sampling);
    const auto n_told = static_cast<std::size_t>(std::max(0, options.n_top_logprobs));
    // The most probable tokens are among the candidates only where nothing moves their logits.
    const bool is_moved =
        has_penalties(options.sampling) || options.ignore_eos || !options.biases.empty();
    const bool is_whole = n_needed == 0 || (n_told > 0 && is_moved);
    plan.samplings.push_back(
        {.sequence = narrow(slot),
         .n_candidates = static_cast<std::uint16_t>(
             is_whole ? 0
                      : std::min(limits_.n_candidates,
                                 std::max({n_needed, n_told, limits_.min_candidates}))),
         .is_banned = std::uint8_t{options.ignore_eos},
         .wants_log_sum = std::uint8_t{observer_ != nullptr || options.n_top_logprobs >= 0},
         .parameters = options.sampling});
    for (const auto& [id, value] : options.biases) plan.biases.push_back({narrow(slot), id, value});
    own.is_whole = is_whole;
    own.running = std::move(sequence);
    own.running->start();
    own.running->fed(0, prefix.n_positions, nullptr);
    counts_.n_shared_positions += prefix.n_positions;
}

/// Fill free slots, the oldest sequence first, while there are pages for their prompts.
void ContinuousBatch::admit(StepPlan& plan) {
    for (;;) {
        const auto is_free = [](const Slot& slot) { return !slot.running; };
        if (std::ranges::none_of(slots_, is_free)) return;
        const bool runs = !by_age().empty();
        if (waiting_.empty()) {
            if (!has_more_) return;
            Next next = source_(!runs);
            has_more_ = !next.is_end;
            if (next.sequence == nullptr) return;
            ++counts_.n_started;
            waiting_.push_back(std::move(next.sequence));
        }
        const std::span<const tokenizer::TokenId> tokens = waiting_.front()->tokens();
        const Prefix prefix = find_prefix(tokens);
        if (prefix.is_underway && runs) return; // it will soon be there
        // Others' prompts may still be on their way into pages that are free now.
        const std::size_t n_needed = PageTables::pages_for(tokens.size() + 1) -
                                     PageTables::pages_for(prefix.n_positions) + n_promised();
        while (pages_.free_pages() < n_needed && drop_left_pages(prefix.slot, plan)) {
        }
        if (pages_.free_pages() < n_needed && runs) return;
        std::unique_ptr<Sequence> sequence = std::move(waiting_.front());
        waiting_.pop_front();
        start(std::move(sequence), prefix, free_slot(prefix), plan);
    }
}

/// Pages that the running sequences' known tokens will take beside those they have.
std::size_t ContinuousBatch::n_promised() const {
    std::size_t n = 0;
    for (const Slot& slot : slots_)
        if (slot.running)
            n += PageTables::pages_for(slot.running->tokens().size() + 1) -
                 PageTables::pages_for(slot.running->n_fed());
    return n;
}

/// The slot that its prefix has been left in, else one where nothing is left, else any.
std::size_t ContinuousBatch::free_slot(const Prefix& prefix) const {
    if (prefix.n_positions > 0 && !slots_[prefix.slot].running) return prefix.slot;
    std::size_t any = slots_.size();
    for (std::size_t s = 0; s < slots_.size(); ++s) {
        if (slots_[s].running) continue;
        if (slots_[s].left.empty()) return s;
        any = s;
    }
    return any;
}

/// Give back the pages of one ended sequence, not those in slot `but`. False when there are none.
bool ContinuousBatch::drop_left_pages(std::size_t but, StepPlan& plan) {
    for (std::size_t s = 0; s < slots_.size(); ++s) {
        if (s == but || slots_[s].running || slots_[s].left.empty()) continue;
        slots_[s].left.clear();
        keep(s, 0, plan);
        return true;
    }
    return false;
}

void ContinuousBatch::set_back(std::size_t slot, StepPlan& plan) {
    Slot& own = slots_[slot];
    keep(slot, 0, plan);
    own.running->set_back();
    own.n_rows = 0;
    ++counts_.n_set_back;
    const auto is_older = [](const std::unique_ptr<Sequence>& a,
                             const std::unique_ptr<Sequence>& b) {
        return a->number() < b->number();
    };
    waiting_.insert(std::ranges::upper_bound(waiting_, own.running, is_older),
                    std::move(own.running));
}

/// Pages for the next rows of a slot, at the cost of what is left, then of the youngest.
void ContinuousBatch::make_room(std::size_t slot, std::size_t n_rows, StepPlan& plan) {
    const std::size_t last = slots_[slot].running->n_fed() + n_rows - 1;
    while (!pages_.reserve(narrow(slot), narrow(last))) {
        if (drop_left_pages(slot, plan)) continue;
        const std::vector<std::size_t> running = by_age();
        expects(running.size() > 1, "the pool has pages for one context");
        set_back(running.back(), plan);
        if (running.back() == slot) return;
    }
    slots_[slot].n_rows = n_rows;
}

bool ContinuousBatch::next(StepPlan& plan) {
    if (after_step_) after_step_(counts_);
    if (is_stopped_) return false;
    if (decode_.is_under_way()) { // nobody joins between the draft model's steps and the model's
        decode_.go_on(plan);
        return true;
    }
    if (waits_for_prompt_ && computed_prompt_) {
        waits_for_prompt_ = false;
        return false;
    }
    admit(plan);
    for (Slot& slot : slots_) slot.n_rows = 0;
    std::size_t n_rows = 0, n_whole = 0; // whole rows of logits that there is room for
    const auto may_pick = [&](const Slot& slot) {
        return !slot.is_whole || n_whole++ < limits_.max_full_rows;
    };
    for (const std::size_t s : by_age()) { // answers first
        if (!slots_[s].running || !slots_[s].running->is_decoding()) continue;
        if (n_rows == limits_.max_rows) break;
        if (!may_pick(slots_[s])) continue;
        make_room(s, 1, plan);
        ++n_rows;
    }
    const std::size_t limit = n_rows == 0
                                  ? limits_.max_rows
                                  : std::min(limits_.max_rows, n_rows + limits_.max_prompt_rows);
    for (const std::size_t s : by_age()) {
        if (!slots_[s].running || slots_[s].running->is_decoding() || n_rows >= limit) continue;
        std::size_t n = std::min(slots_[s].running->n_left(), limit - n_rows);
        if (n == slots_[s].running->n_left() && !may_pick(slots_[s])) --n;
        if (n == 0) continue;
        make_room(s, n, plan);
        n_rows += n;
    }
    plan.phase = Phase::decode;
    is_decoding_ = n_rows > 0 && std::ranges::all_of(slots_, [](const Slot& slot) {
                       return slot.n_rows == 0 || slot.running->is_decoding();
                   });
    if (is_decoding_) {
        decode(plan);
        return true;
    }
    decode_.forget_last();
    for (const std::size_t s : by_age()) {
        Slot& slot = slots_[s];
        if (slot.n_rows == 0) continue;
        if (!slot.running->is_decoding()) plan.phase = Phase::prefill;
        slot.running->add_rows(slot.n_rows, narrow(s), plan);
    }
    return !plan.rows.empty();
}

/// A step of answers alone. Where prompts share it, it computes as much as it reads already, and
/// proposals would cost what they bring. They take no page that the rows would not take.
void ContinuousBatch::decode(StepPlan& plan) {
    asked_.clear();
    for (const std::size_t s : by_age()) {
        if (slots_[s].n_rows == 0) continue;
        Sequence& sequence = *slots_[s].running;
        asked_.push_back({narrow(s), &sequence,
                          slots_[s].is_whole ? 0 // there is room for few whole rows of logits
                                             : std::min(PageTables::left_on_page(sequence.n_fed()),
                                                        room_for_proposals(sequence))});
    }
    const std::size_t n_rows = std::min(limits_.max_rows, limits_.max_logit_rows);
    decode_.begin(asked_, n_rows - std::min(n_rows, asked_.size()), plan);
}

/// Sequences that have ended make room.
void ContinuousBatch::take_ended() {
    for (Slot& slot : slots_) {
        if (!slot.running || !slot.running->is_done()) continue;
        const auto tokens = slot.running->tokens().first(slot.running->n_fed());
        slot.left.assign(tokens.begin(), tokens.end());
        ++counts_.n_finished;
        counts_.n_prompt += slot.running->timings().n_prompt;
        counts_.n_generated += slot.running->timings().n_generated;
        on_finished_(std::move(slot.running));
    }
}

void ContinuousBatch::done(std::uint64_t step, const StepPlan& plan,
                           std::span<const RowOutcome> outcomes, bool signalled) {
    if (is_decoding_) {
        decode_.done(step, plan, outcomes, observer_);
    } else {
        for (Slot& slot : slots_)
            if (slot.running && slot.n_rows > 0) slot.running->fed(step, slot.n_rows, observer_);
        if (waits_for_prompt_) find_computed_prompt();
        for (const RowOutcome& outcome : outcomes) {
            const auto s = static_cast<std::size_t>(plan.rows[outcome.row].sequence);
            slots_[s].running->accept(step, outcome, observer_);
        }
    }
    take_ended();
    const auto runs = [](const Slot& slot) { return slot.running != nullptr; };
    is_stopped_ =
        signalled && (has_more_ || !waiting_.empty() || std::ranges::any_of(slots_, runs));
}

} // namespace pillar::engine
