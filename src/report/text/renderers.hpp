#pragma once
// The three renderers.

#include "pillar/report/scaling_table.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pillar::report {

[[nodiscard]] std::string to_markdown(std::span<const ScalingTable> tables);
[[nodiscard]] std::string to_csv(std::span<const ScalingTable> tables);
[[nodiscard]] std::string to_json(std::span<const ScalingTable> tables);

/// Sentences on what a row's numbers alone would hide: its traces' own, and how it was compared.
[[nodiscard]] std::vector<std::string> remarks_of(const ScalingRow& row);

/// The Markdown table of what was measured beside what was predicted; empty without predictions.
[[nodiscard]] std::string prediction_markdown(const ScalingTable& table);

/// Measured / predicted; nothing where nothing was predicted.
[[nodiscard]] std::optional<double> ratio(double measured, double predicted);

} // namespace pillar::report
