#pragma once
// What a trace has recorded of how its run was made, in the words of tables and of the cost model.

#include "pillar/perf/run_shape.hpp"
#include "pillar/report/option.hpp"
#include "pillar/trace/reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::report {

/// The same ones of every trace, in the same order.
[[nodiscard]] std::vector<Option> options_of(const trace::Trace& trace);

/// "0.3,0.7", or "even".
[[nodiscard]] std::string shares_text(const trace::Trace& trace);

/// Nothing for a trace that has not recorded what its steps cost.
[[nodiscard]] std::optional<perf::RunShape> recorded_shape(const trace::Trace& trace);

} // namespace pillar::report
