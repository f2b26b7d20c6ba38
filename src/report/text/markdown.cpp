// Tables for people, with a sentence for everything that a number alone would hide.

#include "sections/sections.hpp"
#include "text/renderers.hpp"

#include "pillar/core/text.hpp"
#include "pillar/tables/markdown.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <set>

namespace pillar::report {

namespace {

using tables::cell, tables::none, tables::number, tables::number_column, tables::percent,
    tables::seconds, tables::text_column;

struct Extras {
    bool variant = false;
    bool predicted = false;
    bool threads = false; ///< speed-ups of threads beside those of ranks
};

std::vector<std::string> row_cells(const ScalingRow& row, const Extras& extras) {
    const Totals& totals = row.totals;
    const auto time = seconds_per_token(totals);
    const Shares shares = shares_of(totals.ranks);
    const bool has_shares = shares.compute + shares.wait + shares.wire > 0;
    std::vector<std::string> cells{fmt::format("{} × {}", row.n_ranks, row.threads)};
    if (extras.variant) cells.push_back(cell(row.variant));
    const auto add = [&](std::string text) { cells.push_back(std::move(text)); };
    add(fmt::format("{}", totals.paths.size()));
    add(fmt::format("{}", totals.seconds_per_token.size()));
    add(time ? seconds(time->median) : none);
    add(time ? fmt::format("{} … {}", seconds(time->low), seconds(time->high)) : none);
    if (extras.predicted) {
        add(row.predicted_s_per_token ? seconds(*row.predicted_s_per_token) : none);
    }
    add(number(median_tokens_per_s(totals), 2));
    add(number(prompt_tokens_per_s(totals), 2));
    add(number(row.speed_up, 2));
    add(number(row.efficiency, 2));
    add(number(row.karp_flatt, 3));
    if (extras.threads) add(number(row.thread_speed_up, 2));
    add(has_shares ? percent(shares.compute) : none);
    add(has_shares ? wait_percent(shares.wait, shares.wait_uncertainty) : none);
    add(has_shares ? percent(shares.wire) : none);
    const auto outside = outside_share(totals);
    add(outside ? percent(*outside) : none);
    add(number(megabytes_per_token(totals), 3));
    const std::size_t slowest = slowest_rank(totals.ranks);
    add(has_shares ? fmt::format("{} ({})", slowest, cell(totals.ranks[slowest].host)) : none);
    return cells;
}

void add_table(std::string& text, const ScalingTable& table) {
    Extras extras;
    for (const ScalingRow& row : table.rows) {
        extras.variant |= !row.variant.empty();
        extras.predicted |= row.predicted_s_per_token.has_value();
        extras.threads |= row.thread_speed_up.has_value();
    }
    std::vector<tables::Column> columns{text_column("ranks × threads")};
    if (extras.variant) columns.push_back(text_column("options"));
    for (const char* title : {"runs", "steps", "s/token", "95 % interval"})
        columns.push_back(number_column(title));
    if (extras.predicted) columns.push_back(number_column("predicted"));
    for (const char* title : {"tok/s", "prompt tok/s", "speed-up", "efficiency", "Karp–Flatt"})
        columns.push_back(number_column(title));
    if (extras.threads) columns.push_back(number_column("speed-up of threads"));
    for (const char* title : {"compute", "wait", "wire", "sample", "MB/token/rank", "slowest rank"})
        columns.push_back(number_column(title));
    std::vector<std::vector<std::string>> rows;
    for (const ScalingRow& row : table.rows) rows.push_back(row_cells(row, extras));
    text += tables::markdown(std::move(columns), rows);
}

void add_ranks(std::string& text, const Totals& totals) {
    const auto n_tokens = static_cast<double>(totals.n_decode_tokens);
    std::vector<std::vector<std::string>> rows;
    for (std::size_t i = 0; i < totals.ranks.size(); ++i) {
        const RankTotals& rank = totals.ranks[i];
        const Shares shares = shares_of({rank});
        rows.push_back({fmt::format("{}", i), cell(rank.host), percent(shares.compute),
                        wait_percent(shares.wait, shares.wait_uncertainty), percent(shares.wire),
                        seconds(rank.compute_s / n_tokens),
                        number(static_cast<double>(rank.bytes_sent) / 1e6 / n_tokens, 3),
                        number(static_cast<double>(rank.messages_sent) / n_tokens, 1)});
    }
    text += "\n" + tables::markdown({text_column("rank"), text_column("host"),
                                     number_column("compute"), number_column("wait"),
                                     number_column("wire"), number_column("compute s/token"),
                                     number_column("MB/token"), number_column("messages/token")},
                                    rows);
}

/// "1 × 4"; the numbers of ranks or threads alone where the rest is that of every row.
std::string bases_of(const ScalingTable& table, bool over_threads) {
    std::set<std::string> bases;
    for (const ScalingRow& row : table.rows)
        if (row.speed_up && row.over_threads == over_threads)
            bases.insert(over_threads ? row.base_threads : fmt::format("{}", row.base_ranks));
    return joined(bases, ", ");
}

void add_definitions(std::string& text, const ScalingTable& table) {
    std::size_t n_warm_up = 0;
    bool has_threads = false;
    for (const ScalingRow& row : table.rows) {
        n_warm_up += row.totals.n_warm_up_steps;
        has_threads |= row.thread_speed_up.has_value();
    }
    text +=
        fmt::format("\ns/token: median over decode steps, each from its begin to the next one's, "
                    "less tracing, divided by its tokens; interval of the median from order "
                    "statistics; tok/s is 1 / that median. prompt tok/s: all tokens of prompts by "
                    "the time of their steps. The first decode step of each trace is warm-up and "
                    "dropped ({} in all). Shares are of the steps' time, all ranks together; `<`: "
                    "below the uncertainty of the clocks; sample: of the decode time, what lies "
                    "between the steps, where rank 0 samples and prints.\n",
                    n_warm_up);
    if (const std::string bases = bases_of(table, false); !bases.empty())
        text += fmt::format("Speed-up S = T(p0)·p0/T(p) with p0 = {} and as many threads a rank; "
                            "efficiency S/p; Karp–Flatt (1/S − 1/p)/(1 − 1/p), for p0 = 1 only.\n",
                            bases);
    if (const std::string bases = bases_of(table, true); !bases.empty())
        text += fmt::format("Speed-up of threads S = T(t0)·t0/T(t) on as many ranks, with t0 = {}; "
                            "efficiency S/t; Karp–Flatt (1/S − 1/t)/(1 − 1/t), for t0 = 1 only.\n",
                            bases);
    if (has_threads)
        text += "Speed-up of threads: T(t0)·t0/T(t) with the fewest threads t0 on as many ranks.\n";
}

void add_remarks(std::string& text, const ScalingTable& table) {
    for (const ScalingRow& row : table.rows)
        for (const std::string& remark : remarks_of(row)) text += "- " + remark + "\n";
}

} // namespace

std::string to_markdown(std::span<const ScalingTable> tables) {
    std::string text;
    if (tables.size() > 1) {
        text += fmt::format("These traces are of {} different models: each has its own table, and "
                            "no speed-up is taken across them.\n\n",
                            tables.size());
    }
    for (const ScalingTable& table : tables) {
        if (&table != &tables.front()) text += "\n";
        text += "## " + cell(table.model) + "\n\n";
        add_table(text, table);
        const Totals& first = table.rows.front().totals;
        if (table.rows.size() == 1 && first.n_decode_tokens > 0) add_ranks(text, first);
        text += prediction_markdown(table);
        add_definitions(text, table);
        add_remarks(text, table);
        for (const auto section : {prompt_section, studies_section, laws_section, waiting_section,
                                   messages_section, clocks_section, energy_section})
            text += section(table);
    }
    return text;
}

} // namespace pillar::report
