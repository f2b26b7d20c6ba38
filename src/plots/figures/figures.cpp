// All kinds for all tables, and names that tell them apart.

#include "figures/kinds.hpp"

#include <cctype>
#include <fmt/core.h>

namespace pillar::plots {

namespace {

/// "SmolLM2-135M q4_1" → "smollm2-135m-q4_1".
std::string slug_of(const std::string& text) {
    std::string slug;
    for (const char c : text) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
        if (is_plain)
            slug += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (!slug.empty() && slug.back() != '-')
            slug += '-';
    }
    return slug.substr(0, 40);
}

} // namespace

std::string label_of(const report::ScalingRow& row) {
    return fmt::format("{} × {}{}{}", row.n_ranks, row.threads, row.variant.empty() ? "" : " ",
                       row.variant);
}

const report::ScalingRow* widest_row(const report::ScalingTable& table) {
    const report::ScalingRow* widest = nullptr;
    for (const report::ScalingRow& row : table.rows)
        if (row.n_ranks > 1 && (widest == nullptr || row.n_ranks > widest->n_ranks)) widest = &row;
    return widest;
}

std::vector<Figure> figures_of(std::span<const report::ScalingTable> tables,
                               const perf::MachineProfile* profile) {
    std::vector<Figure> all;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        Figures figures;
        const report::ScalingTable& table = tables[i];
        add_speed_ups(figures, table);
        add_weak_scaling(figures, table);
        add_sweeps(figures, table);
        add_shares(figures, table);
        add_latency(figures, table);
        add_gantt(figures, table);
        add_waiting(figures, table);
        add_messages(figures, table);
        add_roofline(figures, table, profile);
        add_over_time(figures, table);
        for (Figure& figure : figures) {
            if (tables.size() > 1)
                figure.name += fmt::format("-{}-{}", i + 1, slug_of(table.model));
            figure.subject = table.model;
            all.push_back(std::move(figure));
        }
    }
    return all;
}

} // namespace pillar::plots
