#include "reply.hpp"

#include <algorithm>

namespace pillar::engine {

bool has_penalties(const sampling::Parameters& p) noexcept {
    return p.repeat_last_n != 0 &&
           (p.repeat_penalty != 1.0f || p.frequency_penalty != 0.0f || p.presence_penalty != 0.0f);
}

std::size_t reply_capacity(std::size_t vocabulary_rows, std::size_t max_logit_rows,
                           const LoopOptions& options) {
    const std::size_t full = may_be_full(options) ? vocabulary_rows * sizeof(float) : 0;
    const std::size_t best =
        options.full_logits ? 0 : options.n_candidates * sizeof(ReplyCandidate);
    return sizeof(ReplyHead) + max_logit_rows * (sizeof(ReplyRow) + std::max(full, best));
}

sampling::LogSum combine_tree(std::span<const sampling::LogSum> sums) noexcept {
    if (sums.size() == 1) return sums[0];
    const std::size_t half = (sums.size() + 1) / 2;
    return sampling::combine(combine_tree(sums.first(half)), combine_tree(sums.subspan(half)));
}

ReplyBuilder::ReplyBuilder(const forward::Transformer& transformer, const LoopOptions& options)
    : transformer_(transformer), options_(options),
      adjusted_(transformer.share().vocabulary.size()), best_(options.n_candidates) {}

sampling::LogSum ReplyBuilder::log_sum(std::span<const float> raw) const {
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
    std::size_t n_written = 0;
    for (const forward::Row& row : plan.rows) {
        if (!row.want_logits) continue;
        const std::size_t slot = n_written++;
        const std::span<const float> raw = logits.subspan(slot * n, n);
        ReplyRow head;
        if (options_.log_sums && sequences.wants_log_sum(row.sequence)) {
            const sampling::LogSum sum = log_sum(raw);
            head.sum = sum.sum;
            head.max = sum.max;
        }
        if (sequences.n_candidates(row.sequence) == 0) {
            message.put(head);
            message.put_all(raw);
        } else if (!plan.labels.empty()) {
            write_label(plan.labels[slot], raw, head, message);
        } else {
            write_candidates(row, raw, sequences, head, message);
        }
    }
}

void ReplyBuilder::write_label(sampling::TokenId label, std::span<const float> raw, ReplyRow& head,
                               MessageWriter& message) const {
    const Range own = transformer_.share().vocabulary;
    const auto id = static_cast<std::size_t>(label);
    head.n_candidates = own.begin <= id && id < own.end ? 1 : 0;
    message.put(head);
    if (head.n_candidates == 0) return;
    const float logit = raw[id - own.begin];
    message.put(ReplyCandidate{label, logit, logit});
}

void ReplyBuilder::write_candidates(const forward::Row& row, std::span<const float> raw,
                                    const Sequences& sequences, ReplyRow& head,
                                    MessageWriter& message) {
    const Range own = transformer_.share().vocabulary;
    const auto first_id = static_cast<sampling::TokenId>(own.begin);
    std::span<const float> logits = raw;
    const bool has_bans = sequences.is_banned(row.sequence) && !options_.banned.empty();
    if (has_penalties(sequences.sampling_of(row.sequence)) || has_bans ||
        !sequences.biases(row.sequence).empty())
        logits = adjusted_.of(raw, first_id, row, sequences, options_.banned);
    head.n_candidates = static_cast<std::uint32_t>(
        sampling::best_candidates(logits, first_id, sequences.n_candidates(row.sequence), best_));
    message.put(head);
    for (std::size_t i = 0; i < head.n_candidates; ++i)
        message.put(ReplyCandidate{best_[i].id, best_[i].logit,
                                   raw[static_cast<std::size_t>(best_[i].id) - own.begin]});
}

} // namespace pillar::engine
