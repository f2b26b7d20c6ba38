// Prompts, and how a row is called.

#include "pillar/core/text.hpp"
#include "pillar/perf/scaling.hpp"
#include "pillar/tables/markdown.hpp"
#include "sections/sections.hpp"

#include <charconv>
#include <fmt/core.h>

namespace pillar::report {

namespace {

int size_of(const ScalingRow& row) {
    if (!row.over_threads) return row.n_ranks;
    int n = 0;
    std::from_chars(row.threads.data(), row.threads.data() + row.threads.size(), n);
    return n;
}

void add_speed_up(std::vector<std::string>& cells, const ScalingRow* base, const ScalingRow& row) {
    const auto time = seconds_per_prompt_token(row.totals);
    const auto base_time = base == nullptr ? std::nullopt : seconds_per_prompt_token(base->totals);
    std::optional<double> speed_up, efficiency, karp_flatt;
    if (time && base_time && row.speed_up) {
        ScalingRow sized = *base;
        sized.over_threads = row.over_threads;
        const int p0 = size_of(sized);
        speed_up = perf::speed_up(base_time->median, p0, time->median);
        if (row.efficiency) {
            efficiency = perf::efficiency(*speed_up, size_of(row));
            karp_flatt = perf::karp_flatt(*speed_up, p0, size_of(row));
        }
    }
    cells.push_back(tables::number(speed_up, 2));
    cells.push_back(tables::number(efficiency, 2));
    cells.push_back(tables::number(karp_flatt, 3));
}

} // namespace

std::string wait_percent(double wait, double uncertainty) {
    return wait < uncertainty ? "< " + tables::percent(uncertainty) : tables::percent(wait);
}

std::string name_of(const ScalingRow& row) {
    return fmt::format("{} × {}{}{}", row.n_ranks, row.threads, row.variant.empty() ? "" : " ",
                       row.variant);
}

const ScalingRow* base_row(const ScalingTable& table, const ScalingRow& row) {
    for (const ScalingRow& one : table.rows)
        if (one.variant == row.variant && one.n_ranks == row.base_ranks &&
            one.threads == row.base_threads)
            return &one;
    return nullptr;
}

std::string prompt_section(const ScalingTable& table) {
    std::vector<std::vector<std::string>> rows;
    for (const ScalingRow& row : table.rows) {
        const auto time = seconds_per_prompt_token(row.totals);
        if (!time) continue;
        const Shares shares = shares_of(row.totals.prompt_ranks);
        std::vector<std::string> cells{
            tables::cell(name_of(row)),
            fmt::format("{}", row.totals.n_prompt_tokens),
            fmt::format("{}", row.totals.seconds_per_prompt_token.size()),
            tables::seconds(time->median),
            fmt::format("{} … {}", tables::seconds(time->low), tables::seconds(time->high)),
            tables::number(prompt_tokens_per_s(row.totals), 2)};
        add_speed_up(cells, base_row(table, row), row);
        cells.push_back(tables::percent(shares.compute));
        cells.push_back(wait_percent(shares.wait, shares.wait_uncertainty));
        cells.push_back(tables::percent(shares.wire));
        rows.push_back(std::move(cells));
    }
    if (rows.empty()) return "";
    using tables::number_column;
    return "\n### Prompts\n\n" +
           tables::markdown({tables::text_column("ranks × threads"), number_column("tokens"),
                             number_column("steps"), number_column("s/token"),
                             number_column("95 % interval"), number_column("tok/s"),
                             number_column("speed-up"), number_column("efficiency"),
                             number_column("Karp–Flatt"), number_column("compute"),
                             number_column("wait"), number_column("wire")},
                            rows) +
           "\ns/token: median over the steps of prompts, each divided by its rows.\n";
}

} // namespace pillar::report
