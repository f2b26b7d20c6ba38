#pragma once
// --draft in a session: what it changes in the needs of a subcommand, and who proposes.

#include "pillar/engine/proposer.hpp"
#include "pillar/session/session.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace pillar::session {

/// Rows with logits of a step of `n_sequences` that decode, with what is proposed to them.
std::size_t logit_rows_with_draft(const ModelOptions& options, std::size_t n_sequences) noexcept;

/// What the loop gathers, enough for a draft model to tell how sure it is.
engine::LoopOptions loop_with_draft(engine::LoopOptions loop, const ModelOptions& options) noexcept;

/// nullptr where --draft asks for none. Rank 0 asks it.
std::unique_ptr<engine::Proposer> make_proposer(Session& session, const ModelOptions& options);

/// "12 of 20 tokens accepted, 1.60 tokens a step"; a step of several sequences counts for each.
std::string draft_text(const engine::DraftCounts& counts);

} // namespace pillar::session
