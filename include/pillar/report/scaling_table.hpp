#pragma once
// Traces side by side: one table a model, one row a configuration. Speed-ups are against the
// smallest number of ranks with as many threads a rank; where all rows have the same ranks, against
// the fewest threads. Traces of the same configuration are runs of one row.

#include "pillar/report/option.hpp"
#include "pillar/report/prediction.hpp"
#include "pillar/report/summary.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pillar::report {

struct ScalingRow {
    int n_ranks = 1;
    std::string threads; ///< a rank: "4", or "2-4" when ranks differ
    std::string
        variant; ///< options in which rows of the table differ: "allreduce=ring"; often empty
    std::vector<Option> options; ///< all of them, those that are alike in all rows too
    Totals totals;

    // Against the base row; nothing without decode steps or in a table of one row. Efficiency and
    // serial fraction mean nothing where the base has other threads a rank.
    int base_ranks = 1;
    std::string base_threads;  ///< a rank
    bool over_threads = false; ///< of threads: base and row have the same ranks
    std::optional<double> speed_up;
    std::optional<double> efficiency;
    std::optional<double> karp_flatt;
    /// Against the fewest threads on as many ranks, where there are several numbers of both.
    std::optional<double> thread_speed_up;

    // By perf's cost model, when somebody has asked it.
    std::optional<Prediction> prediction;
    std::optional<double> predicted_s_per_token; ///< median over the decode steps
};

struct ScalingTable {
    std::string model;            ///< name and quantisation
    std::vector<ScalingRow> rows; ///< by variant, ranks, threads
};

/// One table a model, in the order in which the models come; with a profile its prediction beside
/// what was measured, with a meter's log the joules.
[[nodiscard]] std::vector<ScalingTable>
scaling_tables(std::span<const trace::Trace> traces, const perf::MachineProfile* profile = nullptr,
               const metering::MeterLog* meter = nullptr);

} // namespace pillar::report
