#include "reply.hpp"

#include <algorithm>

namespace pillar::engine {

bool has_penalties(const sampling::Parameters& p) noexcept {
    return p.repeat_last_n != 0 &&
           (p.repeat_penalty != 1.0f || p.frequency_penalty != 0.0f || p.presence_penalty != 0.0f);
}

std::size_t reply_capacity(std::size_t vocabulary_rows, std::size_t max_logit_rows,
                           const LoopOptions& options) {
    const std::size_t full = vocabulary_rows * sizeof(float);
    const std::size_t best =
        options.full_logits ? 0 : options.n_candidates * sizeof(ReplyCandidate);
    return sizeof(ReplyHead) + max_logit_rows * (sizeof(ReplyRow) + best) +
           max_full_rows(options, max_logit_rows) * full;
}

sampling::LogSum combine_tree(std::span<const sampling::LogSum> sums) noexcept {
    if (sums.size() == 1) return sums[0];
    const std::size_t half = (sums.size() + 1) / 2;
    return sampling::combine(combine_tree(sums.first(half)), combine_tree(sums.subspan(half)));
}

namespace {

/// Logits that take longer than waking the team.
constexpr std::size_t worth_sharing = std::size_t{1} << 15;

} // namespace

ReplyBuilder::ReplyBuilder(const forward::Transformer& transformer, const LoopOptions& options)
    : transformer_(transformer), options_(options), found_(transformer.options().max_logit_rows) {
    for (int thread = 0; thread < transformer.team().size(); ++thread)
        scratch_.push_back({AdjustedLogits(transformer.share().vocabulary.size()),
                            std::vector<sampling::Candidate>(options.n_candidates)});
    for (Found& found : found_) found.candidates.reserve(options.n_candidates);
}

std::uint64_t ReplyBuilder::size_bytes(std::size_t vocabulary_rows, std::size_t max_logit_rows,
                                       const LoopOptions& options, int n_threads) {
    return static_cast<std::uint64_t>(n_threads) *
               (AdjustedLogits::size_bytes(vocabulary_rows) +
                options.n_candidates * sizeof(sampling::Candidate)) +
           max_logit_rows * options.n_candidates * sizeof(ReplyCandidate);
}

sampling::LogSum ReplyBuilder::log_sum(std::span<const float> raw) const noexcept {
    const partition::Share& share = transformer_.share();
    sampling::LogSum sums[partition::n_tree_slices];
    std::size_t n = 0;
    for (const Range& slice : share.slice_vocabulary)
        sums[n++] =
            sampling::log_sum(raw.subspan(slice.begin - share.vocabulary.begin, slice.size()));
    return combine_tree({sums, n});
}

void ReplyBuilder::write(const StepPlan& plan, std::span<const float> logits,
                         const Sequences& sequences, MessageWriter& message) {
    const std::size_t n = transformer_.share().vocabulary.size();
    std::size_t n_found = 0;
    for (const forward::Row& row : plan.rows)
        if (row.want_logits) found_[n_found++].row = &row;
    const auto find_all = [&](Range mine, Scratch& scratch) {
        for (std::size_t slot = mine.begin; slot < mine.end; ++slot)
            find(found_[slot], logits.subspan(slot * n, n), sequences,
                 plan.labels.empty() ? std::nullopt : std::optional(plan.labels[slot]), scratch);
    };
    if (n_found > 1 && n_found * n >= worth_sharing) {
        transformer_.team().run([&](threads::Worker worker) {
            find_all(worker.share(n_found), scratch_[static_cast<std::size_t>(worker.index())]);
        });
    } else {
        find_all({0, n_found}, scratch_.front());
    }
    for (std::size_t slot = 0; slot < n_found; ++slot) {
        const Found& found = found_[slot];
        message.put(found.head);
        if (sequences.n_candidates(found.row->sequence) == 0)
            message.put_all(logits.subspan(slot * n, n));
        else
            message.put_all(std::span(found.candidates));
    }
}

void ReplyBuilder::find(Found& found, std::span<const float> raw, const Sequences& sequences,
                        std::optional<sampling::TokenId> label, Scratch& scratch) const noexcept {
    const forward::Row& row = *found.row;
    const Range own = transformer_.share().vocabulary;
    found.head = {};
    found.candidates.clear();
    if (options_.log_sums && sequences.wants_log_sum(row.sequence)) {
        const sampling::LogSum sum = log_sum(raw);
        found.head.sum = sum.sum;
        found.head.max = sum.max;
    }
    const std::size_t n_wanted = sequences.n_candidates(row.sequence);
    if (n_wanted == 0) return; // the whole row is sent
    if (label) {
        const auto id = static_cast<std::size_t>(*label);
        if (id < own.begin || id >= own.end) return;
        found.head.n_candidates = 1;
        found.candidates.push_back({*label, raw[id - own.begin], raw[id - own.begin]});
        return;
    }
    const auto first_id = static_cast<sampling::TokenId>(own.begin);
    std::span<const float> logits = raw;
    const bool has_bans = sequences.is_banned(row.sequence) && !options_.banned.empty();
    if (has_penalties(sequences.sampling_of(row.sequence)) || has_bans ||
        !sequences.biases(row.sequence).empty())
        logits = scratch.adjusted.of(raw, first_id, row, sequences, options_.banned);
    const std::size_t n = sampling::best_candidates(logits, first_id, n_wanted, scratch.best);
    found.head.n_candidates = static_cast<std::uint32_t>(n);
    for (const sampling::Candidate& best : std::span(scratch.best).first(n))
        found.candidates.push_back(
            {best.id, best.logit, raw[static_cast<std::size_t>(best.id) - own.begin]});
}

} // namespace pillar::engine
