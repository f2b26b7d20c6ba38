#include "pillar/session/draft.hpp"

#include "pillar/cache/page_tables.hpp"
#include "pillar/core/text.hpp"
#include "pillar/speculation/model_draft.hpp"
#include "pillar/speculation/ngram.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::session {

namespace {

/// Proposals of all sequences in one step: beyond that many rows every machine computes as much as
/// it reads. Each takes memory for a row of logits.
constexpr std::size_t most_rows = 32;

} // namespace

std::size_t logit_rows_with_draft(const ModelOptions& options, std::size_t n_sequences) noexcept {
    const std::size_t n =
        std::min(options.draft.n_most * n_sequences, std::max(most_rows, options.draft.n_most));
    return n_sequences + std::min(n, options.n_batch - std::min(options.n_batch, n_sequences));
}

engine::LoopOptions loop_with_draft(engine::LoopOptions loop,
                                    const ModelOptions& options) noexcept {
    if (!options.draft.model.empty())
        loop.n_candidates = std::max(loop.n_candidates, speculation::draft_candidates);
    return loop;
}

std::unique_ptr<engine::Proposer> make_proposer(Session& session, const ModelOptions& options) {
    const forward::TransformerOptions& of = session.transformer().options();
    if (options.draft.n_most == 0) return nullptr;
    forward::Transformer* draft = session.draft();
    if (draft == nullptr)
        return std::make_unique<speculation::NgramProposer>(options.draft.n_most, of.max_sequences);
    const std::size_t n_pages = of.n_pages != 0
                                    ? of.n_pages
                                    : cache::PageTables::pages_for(of.n_context) * of.max_sequences;
    const speculation::ModelDraftOptions wanted{
        .n_most = options.draft.n_most,
        .max_rows = of.max_rows,
        .max_sequences = of.max_sequences,
        .n_context = of.n_context,
        .n_pages = n_pages,
        .shares_pages = draft->shares_pages(),
        .n_vocab = std::min(session.transformer().hyperparameters().vocab_size,
                            draft->hyperparameters().vocab_size)};
    return std::make_unique<speculation::ModelProposer>(
        wanted, [draft](std::int32_t slot, std::int32_t n) { return draft->keeps(slot, n); });
}

std::string draft_text(const engine::DraftCounts& counts) {
    return fmt::format("{} of {} accepted, {:.2f} tokens a step", counts.n_accepted,
                       counted(counts.n_proposed, "token"),
                       static_cast<double>(counts.n_tokens) /
                           static_cast<double>(std::max<std::uint64_t>(counts.n_rows, 1)));
}

} // namespace pillar::session
