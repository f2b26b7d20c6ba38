#pragma once
// Scaling tables as text: Markdown for people, CSV for plots, JSON for programs. What was not
// measured is a dash, an empty field or null.

#include "pillar/report/scaling_table.hpp"
#include "pillar/tables/writer.hpp"

#include <span>
#include <string>
#include <vector>

namespace pillar::report {

/// Not jsonl. Ends with a newline. A single row is followed by its table of ranks (md).
[[nodiscard]] std::string render(std::span<const ScalingTable> tables, tables::Format format);

/// The tables of traces; with a profile, what the cost model predicts beside them, with a meter's
/// log the joules.
[[nodiscard]] std::vector<ScalingTable> tables_of(std::span<const std::string> paths,
                                                  const perf::MachineProfile* profile = nullptr,
                                                  const metering::MeterLog* meter = nullptr);
/// What `pillar report FILE.h5…` prints.
[[nodiscard]] std::string report(std::span<const std::string> paths, tables::Format format,
                                 const perf::MachineProfile* profile = nullptr);

} // namespace pillar::report
