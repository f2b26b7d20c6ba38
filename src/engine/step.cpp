#include "pillar/engine/step.hpp"

#include <algorithm>

namespace pillar::engine {

const char* name_of(FinishReason reason) noexcept {
    switch (reason) {
    case FinishReason::none:
        return "none";
    case FinishReason::stop:
        return "stop";
    case FinishReason::length:
        return "length";
    case FinishReason::context_full:
        return "context_full";
    case FinishReason::signal:
        return "signal";
    }
    return "none";
}

void count_rows(std::span<const forward::Row> rows, StepCounts& counts) noexcept {
    counts.n_rows = static_cast<std::uint32_t>(rows.size());
    counts.n_logits = counts.n_sequences = 0;
    counts.n_attended = counts.n_cached = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto n_seen = static_cast<std::uint64_t>(rows[i].position) + 1;
        counts.n_logits += rows[i].want_logits ? 1u : 0u;
        counts.n_attended += n_seen;
        const auto is_same = [&](const forward::Row& row) {
            return row.sequence == rows[i].sequence;
        };
        // Rows of a sequence come in order: its last one sees all that is read.
        if (std::ranges::any_of(rows.subspan(i + 1), is_same)) continue;
        counts.n_cached += n_seen;
        ++counts.n_sequences;
    }
}

} // namespace pillar::engine
