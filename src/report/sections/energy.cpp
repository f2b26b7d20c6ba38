#include "pillar/tables/markdown.hpp"
#include "sections/sections.hpp"

#include <fmt/core.h>

namespace pillar::report {

namespace {

std::optional<double> quotient(double above, double below) {
    return below > 0 ? std::optional(above / below) : std::nullopt;
}

std::vector<std::string> energy_cells(const ScalingRow& row, const metering::NodeEnergy& node) {
    std::vector<std::string> cells{tables::cell(name_of(row)), tables::cell(node.name)};
    for (const metering::PhaseEnergy* phase : {&node.prompt, &node.decode}) {
        const auto n = static_cast<double>(phase->n_tokens);
        cells.push_back(fmt::format("{}", phase->n_tokens));
        cells.push_back(tables::number(quotient(phase->joules, n), 3));
        cells.push_back(tables::number(quotient(phase->joules, phase->seconds), 2));
    }
    return cells;
}

} // namespace

std::string energy_section(const ScalingTable& table) {
    std::vector<std::vector<std::string>> rows;
    for (const ScalingRow& row : table.rows) {
        if (!row.totals.energy) continue;
        rows.push_back(energy_cells(row, row.totals.energy->all));
        for (const metering::NodeEnergy& node : row.totals.energy->nodes)
            rows.push_back(energy_cells(row, node));
    }
    if (rows.empty()) return "";
    using tables::number_column, tables::text_column;
    return "\n### Energy\n\n" +
           tables::markdown({text_column("ranks × threads"), text_column("node"),
                             number_column("prompt tokens"), number_column("J/token"),
                             number_column("W"), number_column("tokens generated"),
                             number_column("J/token"), number_column("W")},
                            rows) +
           "\nFrom the meter's log over the time of the steps, sampling included; steps in gaps of "
           "the "
           "log and warm-up steps are left out.\n";
}

} // namespace pillar::report
