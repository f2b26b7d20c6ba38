#pragma once
// Scaling tables as text: Markdown for people, CSV for plots, JSON for programs. What was not
// measured is a dash, an empty field or null.

#include "pillar/report/scaling_table.hpp"
#include "pillar/tables/writer.hpp"

#include <span>
#include <string>

namespace pillar::report {

/// Not jsonl. Ends with a newline. A single row is followed by its table of ranks (md).
[[nodiscard]] std::string render(std::span<const ScalingTable> tables, tables::Format format);

/// What `pillar report FILE.h5…` prints; with a profile, what the cost model predicts beside it.
[[nodiscard]] std::string report(std::span<const std::string> paths, tables::Format format,
                                 const perf::MachineProfile* profile = nullptr);

} // namespace pillar::report
