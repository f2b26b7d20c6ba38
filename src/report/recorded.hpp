#pragma once
// What a trace has recorded of how its run was made, in the words of tables and of the cost model.

#include "pillar/perf/run_shape.hpp"
#include "pillar/trace/reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::report {

/// An option that changes what a step costs: rows that differ in one are different rows.
struct Option {
    std::string name;
    std::string value; ///< empty: not recorded
};
/// The same ones of every trace, in the same order.
[[nodiscard]] std::vector<Option> options_of(const trace::Trace& trace);

/// "0.3,0.7", or "even".
[[nodiscard]] std::string shares_text(const trace::Trace& trace);

/// Tokens that a step of answers alone has picked: not those that were proposed in vain.
[[nodiscard]] std::uint32_t n_picked(const trace::StepRow& step) noexcept;

/// Nothing for a trace that has not recorded what its steps cost.
[[nodiscard]] std::optional<perf::RunShape> recorded_shape(const trace::Trace& trace);

} // namespace pillar::report
