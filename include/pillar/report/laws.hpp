#pragma once
// Laws of scaling, fitted to what a study measured; prompt and decode apart.

#include "pillar/perf/fit.hpp"
#include "pillar/report/studies.hpp"

#include <optional>
#include <vector>

namespace pillar::report {

/// The median times of a study's rows: x is the study's, y seconds a token. σ is what the interval
/// of the median says, or the scatter of the medians of a row's runs where that is more, and a
/// thousandth of y at least.
[[nodiscard]] std::vector<perf::Point> times_of(const ScalingTable& table, const Study& study,
                                                trace::Phase phase);

struct Laws {
    trace::Phase phase{};
    std::optional<perf::AmdahlFit> amdahl;       ///< strong scaling, threads
    std::optional<perf::TimeFit> time;           ///< strong scaling
    std::optional<perf::GustafsonFit> gustafson; ///< weak scaling from one rank on
};
/// Of studies over ranks or threads whose numbers of them are known.
[[nodiscard]] Laws laws_of(const ScalingTable& table, const Study& study, trace::Phase phase);

/// Moving the bytes of an all-reduce: seconds over the bytes of its longest payload.
[[nodiscard]] std::vector<perf::Point> message_times_of(const ScalingRow& row);
[[nodiscard]] std::optional<perf::LineFit> message_fit(const ScalingRow& row);

} // namespace pillar::report
