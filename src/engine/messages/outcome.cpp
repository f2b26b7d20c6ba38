// Rank 0 only: reads all ranks' replies and merges them into one outcome a row.

#include "reply.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::engine {

namespace {

/// Candidates of a whole row: all tokens, unless nobody picks.
std::size_t full_candidates(std::size_t vocab_size, const LoopOptions& options) noexcept {
    return options.n_candidates != 0 ? vocab_size : 0;
}

} // namespace

OutcomeReader::OutcomeReader(const forward::Transformer& transformer,
                             const comm::Communicator& comm, const LoopOptions& options)
    : transformer_(transformer), options_(options), n_ranks_(comm.size()),
      lists_(static_cast<std::size_t>(n_ranks_)), heads_(lists_.size()),
      log_sums_(static_cast<std::size_t>(n_ranks_)),
      adjusted_(max_full_rows(options, transformer.options().max_logit_rows) > 0
                    ? full_candidates(transformer.hyperparameters().vocab_size, options)
                    : 0),
      hashes_(static_cast<std::size_t>(n_ranks_)) {
    const std::size_t vocab_size = transformer.hyperparameters().vocab_size;
    const std::size_t n_rows = transformer.options().max_logit_rows;
    const std::size_t n_full = full_candidates(vocab_size, options);
    for (auto& list : lists_) list.reserve(options.n_candidates);
    slots_.resize(options.full_logits ? 0 : n_rows);
    for (Slot& slot : slots_) {
        slot.candidates.reserve(options.n_candidates);
        slot.raw.reserve(options.n_candidates);
    }
    full_slots_.resize(max_full_rows(options, n_rows));
    for (Slot& slot : full_slots_) {
        slot.candidates.reserve(n_full);
        slot.raw.reserve(n_full);
        slot.full.resize(vocab_size);
    }
    outcomes_.reserve(n_rows);
    readers_.reserve(static_cast<std::size_t>(n_ranks_));
}

std::uint64_t OutcomeReader::size_bytes(std::size_t vocab_size, std::size_t max_logit_rows,
                                        const LoopOptions& options, int n_ranks) {
    constexpr std::uint64_t candidate_bytes = sizeof(sampling::Candidate) + sizeof(float);
    const std::uint64_t n_whole = max_full_rows(options, max_logit_rows);
    const std::uint64_t n_full = full_candidates(vocab_size, options);
    const std::uint64_t of_best =
        options.full_logits ? 0 : max_logit_rows * options.n_candidates * candidate_bytes;
    return of_best + n_whole * (n_full * candidate_bytes + vocab_size * sizeof(float)) +
           AdjustedLogits::size_bytes(n_whole > 0 ? n_full : 0) +
           static_cast<std::uint64_t>(n_ranks) * options.n_candidates * sizeof(ReplyCandidate);
}

OutcomeReader::Flags OutcomeReader::read(std::span<const forward::Row> rows,
                                         const comm::GatherBuffer& replies,
                                         const Sequences& sequences) {
    Flags flags;
    readers_.clear();
    outcomes_.clear();
    for (int rank = 0; rank < n_ranks_; ++rank) {
        readers_.emplace_back(replies.of(rank));
        const auto head = readers_.back().get<ReplyHead>();
        hashes_[static_cast<std::size_t>(rank)] = head.residual_hash;
        flags.failed |= head.failed != 0;
        flags.signalled |= head.signalled != 0;
        flags.hashes_differ |= head.residual_hash != hashes_[0];
    }
    std::size_t n_best = 0, n_whole = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (!rows[r].want_logits) continue;
        const std::size_t n = sequences.n_candidates(rows[r].sequence);
        expects(n != 0 || n_whole < full_slots_.size(), "a step gathers whole rows for few");
        Slot& slot = n == 0 ? full_slots_[n_whole++] : slots_[n_best++];
        if (n == 0)
            read_full_row(slot, rows[r], readers_, sequences);
        else
            read_candidates(slot, n, readers_);
        outcomes_.push_back({static_cast<std::uint32_t>(r), slot.candidates, slot.raw,
                             combine_tree(log_sums_), slot.full});
    }
    return flags;
}

void OutcomeReader::read_candidates(Slot& merged, std::size_t n_wanted,
                                    std::vector<MessageReader>& readers) {
    merged.candidates.clear();
    merged.raw.clear();
    std::size_t n_all = 0;
    for (std::size_t rank = 0; rank < readers.size(); ++rank) {
        const auto head = readers[rank].get<ReplyRow>();
        log_sums_[rank] = {head.max, head.sum};
        lists_[rank].resize(head.n_candidates);
        readers[rank].get_all(std::span(lists_[rank]));
        n_all += head.n_candidates;
    }
    // Each list is sorted: take the best head until enough are found. Few ranks, few candidates.
    std::fill(heads_.begin(), heads_.end(), std::size_t{0});
    const std::size_t n = std::min(n_all, n_wanted);
    while (merged.candidates.size() < n) {
        std::size_t best_rank = lists_.size();
        for (std::size_t rank = 0; rank < lists_.size(); ++rank) {
            if (heads_[rank] == lists_[rank].size()) continue;
            const ReplyCandidate& head = lists_[rank][heads_[rank]];
            if (best_rank == lists_.size()) {
                best_rank = rank;
                continue;
            }
            const ReplyCandidate& best = lists_[best_rank][heads_[best_rank]];
            if (sampling::is_better({head.id, head.logit}, {best.id, best.logit})) best_rank = rank;
        }
        const ReplyCandidate& taken = lists_[best_rank][heads_[best_rank]++];
        merged.candidates.push_back({taken.id, taken.logit});
        merged.raw.push_back(taken.raw);
    }
}

void OutcomeReader::read_full_row(Slot& merged, const forward::Row& row,
                                  std::vector<MessageReader>& readers, const Sequences& sequences) {
    const partition::Sizes sizes = transformer_.hyperparameters().sizes();
    for (std::size_t rank = 0; rank < readers.size(); ++rank) {
        const auto head = readers[rank].get<ReplyRow>();
        log_sums_[rank] = {head.max, head.sum};
        const Range own =
            partition::vocabulary_of(sizes, transformer_.share(), static_cast<int>(rank));
        readers[rank].get_all(std::span(merged.full).subspan(own.begin, own.size()));
    }
    merged.candidates.clear();
    merged.raw.clear();
    if (options_.n_candidates == 0) return; // `logits`: nobody picks
    const std::span<const float> adjusted =
        adjusted_.of(merged.full, 0, row, sequences, options_.banned);
    for (std::size_t id = 0; id < adjusted.size(); ++id)
        if (adjusted[id] == adjusted[id]) // NaN is no candidate
            merged.candidates.push_back({static_cast<sampling::TokenId>(id), adjusted[id]});
    std::sort(merged.candidates.begin(), merged.candidates.end(), sampling::is_better);
    for (const sampling::Candidate& candidate : merged.candidates)
        merged.raw.push_back(merged.full[static_cast<std::size_t>(candidate.id)]);
}

} // namespace pillar::engine
