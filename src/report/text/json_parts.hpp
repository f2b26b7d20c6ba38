#pragma once
// Parts of the JSON report that Markdown has as sections.

#include "pillar/report/scaling_table.hpp"
#include "pillar/tables/record.hpp"

namespace pillar::report {

[[nodiscard]] tables::List studies_list(const ScalingTable& table);
[[nodiscard]] tables::Value waiting_record(const Totals& totals);
[[nodiscard]] tables::Value messages_record(const ScalingRow& row);
[[nodiscard]] tables::List clocks_list(const Totals& totals);
[[nodiscard]] tables::Value energy_record(const Totals& totals);

} // namespace pillar::report
