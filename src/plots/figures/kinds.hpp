#pragma once
// The kinds of figures; each gives none, one or several for a table.

#include "pillar/plots/figure.hpp"

#include <vector>

namespace pillar::plots {

using Figures = std::vector<Figure>;

/// Speed-up and efficiency over ranks and over threads, beside the ideal and Amdahl's law.
void add_speed_ups(Figures& figures, const report::ScalingTable& table);
/// Throughput of work that grows with the ranks, beside Gustafson's law.
void add_weak_scaling(Figures& figures, const report::ScalingTable& table);
/// tok/s over any other setting that is a number.
void add_sweeps(Figures& figures, const report::ScalingTable& table);
/// Computing, waiting, bytes and sampling, stacked.
void add_shares(Figures& figures, const report::ScalingTable& table);
/// Seconds a token over its position, with percentiles.
void add_latency(Figures& figures, const report::ScalingTable& table);
/// One token over the ranks.
void add_gantt(Figures& figures, const report::ScalingTable& table);
/// Who waited for whom.
void add_waiting(Figures& figures, const report::ScalingTable& table);
/// All-reduces over their size.
void add_messages(Figures& figures, const report::ScalingTable& table);
/// Operations a second over operations a byte.
void add_roofline(Figures& figures, const report::ScalingTable& table,
                  const perf::MachineProfile* profile);
/// Clocks, temperatures and watts over time.
void add_over_time(Figures& figures, const report::ScalingTable& table);

/// "2 × 4", with the options that tell it apart.
[[nodiscard]] std::string label_of(const report::ScalingRow& row);
/// Of those with several ranks the one with most; nothing where there is none.
[[nodiscard]] const report::ScalingRow* widest_row(const report::ScalingTable& table);

} // namespace pillar::plots
