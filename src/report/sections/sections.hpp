#pragma once
// Parts of the Markdown report below a model's table, each with its heading; nothing where the
// traces have nothing for it.

#include "pillar/report/scaling_table.hpp"

#include <string>

namespace pillar::report {

/// Prompts: medians, speed-ups and shares of their steps.
[[nodiscard]] std::string prompt_section(const ScalingTable& table);
/// What each setting does.
[[nodiscard]] std::string studies_section(const ScalingTable& table);
/// Amdahl, Gustafson and T(p) with their intervals.
[[nodiscard]] std::string laws_section(const ScalingTable& table);
/// The slowest rank, and who waited for whom.
[[nodiscard]] std::string waiting_section(const ScalingTable& table);
/// All-reduces over their size.
[[nodiscard]] std::string messages_section(const ScalingTable& table);
/// Clocks that were off.
[[nodiscard]] std::string clocks_section(const ScalingTable& table);
/// Joules, where a meter's log is there.
[[nodiscard]] std::string energy_section(const ScalingTable& table);

/// A waiting share below the clocks' uncertainty is only a bound.
[[nodiscard]] std::string wait_percent(double wait, double uncertainty);

/// "2 × 4", and the options that tell it apart: "2 × 4 wire=f16".
[[nodiscard]] std::string name_of(const ScalingRow& row);

/// The row that this one is compared with.
[[nodiscard]] const ScalingRow* base_row(const ScalingTable& table, const ScalingRow& row);

} // namespace pillar::report
