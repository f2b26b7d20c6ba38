#pragma once
// The three renderers.

#include "pillar/report/scaling_table.hpp"

#include <span>
#include <string>

namespace pillar::report {

[[nodiscard]] std::string to_markdown(std::span<const ScalingTable> tables);
[[nodiscard]] std::string to_csv(std::span<const ScalingTable> tables);
[[nodiscard]] std::string to_json(std::span<const ScalingTable> tables);

} // namespace pillar::report
