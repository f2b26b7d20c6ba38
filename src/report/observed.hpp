#pragma once
// What a trace shows beside its times: clocks, throttling, messages, single steps and tokens.

#include "pillar/report/summary.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::report {

/// Waiting, messages, clocks, tokens and the example step.
void observe(Totals& totals, const trace::Trace& trace);
void add_observed(Totals& totals, const Totals& other);
void add_ranks(std::vector<RankTotals>& ranks, const std::vector<RankTotals>& others);

/// The rank that computed longest in a step; nothing where a record is missing.
[[nodiscard]] std::optional<std::size_t> slowest_in(const trace::Trace& trace, std::size_t step);

/// A sentence for every board that was throttled, with what the firmware's bits mean.
[[nodiscard]] std::vector<std::string> throttling_of(const trace::Trace& trace);

} // namespace pillar::report
