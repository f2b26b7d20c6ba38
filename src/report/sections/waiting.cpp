// The slowest rank, who waited for whom, messages and clocks.

#include "pillar/core/errors.hpp"
#include "pillar/report/laws.hpp"
#include "pillar/tables/markdown.hpp"
#include "sections/sections.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>

namespace pillar::report {

namespace {

using tables::number_column, tables::text_column;

constexpr std::size_t widest_matrix = 16; ///< ranks; a wider one does not fit a page

std::string rank_text(const ScalingRow& row, std::size_t rank) {
    return fmt::format("{} ({})", rank, tables::cell(row.totals.ranks[rank].host));
}

std::string milliseconds(double wait_s, double uncertainty_s, std::size_t n_steps) {
    const double scale = 1e3 / static_cast<double>(std::max<std::size_t>(1, n_steps));
    if (wait_s <= 0) return tables::none;
    if (wait_s < uncertainty_s) return fmt::format("< {:.3f}", uncertainty_s * scale);
    return fmt::format("{:.3f} ± {:.3f}", wait_s * scale, uncertainty_s * scale);
}

std::vector<std::string> summary_cells(const ScalingRow& row) {
    const Totals& totals = row.totals;
    std::vector<std::string> cells{tables::cell(name_of(row))};
    std::uint64_t n_steps = 0;
    for (const std::uint64_t n : totals.n_slowest) n_steps += n;
    const auto often = std::ranges::max_element(totals.n_slowest);
    cells.push_back(rank_text(row, slowest_rank(totals.ranks)));
    cells.push_back(
        n_steps == 0
            ? tables::none
            : fmt::format(
                  "{} in {}",
                  rank_text(row, static_cast<std::size_t>(often - totals.n_slowest.begin())),
                  tables::percent(static_cast<double>(*often) / static_cast<double>(n_steps))));
    const auto most = waited_for_most(totals.waiting);
    cells.push_back(most ? rank_text(row, most->cause) : tables::none);
    cells.push_back(most ? tables::percent(most->share) : tables::none);
    cells.push_back(most ? milliseconds(totals.waiting.caused_s(most->cause),
                                        totals.waiting.caused_uncertainty_s(most->cause),
                                        totals.waiting.n_steps)
                         : tables::none);
    cells.push_back(!most               ? tables::none
                    : most->only_waiter ? rank_text(row, *most->only_waiter) + " alone"
                                        : "all");
    return cells;
}

std::string matrix_of(const ScalingRow& row) {
    const WaitingMatrix& matrix = row.totals.waiting;
    std::vector<tables::Column> columns{text_column("waiting rank")};
    for (std::size_t cause = 0; cause < matrix.n_ranks(); ++cause)
        columns.push_back(number_column(fmt::format("for {}", cause)));
    columns.push_back(number_column("in all"));
    std::vector<std::vector<std::string>> rows;
    for (std::size_t rank = 0; rank < matrix.n_ranks(); ++rank) {
        std::vector<std::string> cells{rank_text(row, rank)};
        double uncertainty_s = 0;
        for (std::size_t cause = 0; cause < matrix.n_ranks(); ++cause) {
            cells.push_back(milliseconds(matrix.wait_s(rank, cause),
                                         matrix.uncertainty_s(rank, cause), matrix.n_steps));
            uncertainty_s += matrix.uncertainty_s(rank, cause);
        }
        cells.push_back(milliseconds(matrix.waited_s(rank), uncertainty_s, matrix.n_steps));
        rows.push_back(std::move(cells));
    }
    return fmt::format("\n{}: milliseconds a decode step that each rank waited for each other"
                       "\n\n{}",
                       tables::cell(name_of(row)), tables::markdown(std::move(columns), rows));
}

} // namespace

std::string waiting_section(const ScalingTable& table) {
    std::vector<std::vector<std::string>> rows;
    std::string matrices;
    bool is_estimated = false;
    for (const ScalingRow& row : table.rows) {
        const WaitingMatrix& matrix = row.totals.waiting;
        if (row.n_ranks < 2 || row.totals.n_decode_tokens == 0) continue;
        rows.push_back(summary_cells(row));
        is_estimated |= matrix.is_estimated;
        if (matrix.n_ranks() <= widest_matrix && matrix.total_s() > 0) matrices += matrix_of(row);
    }
    if (rows.empty()) return "";
    return "\n### Who waited for whom\n\n" +
           tables::markdown({text_column("ranks × threads"), text_column("slowest rank"),
                             text_column("slowest most often"), text_column("waited for most"),
                             number_column("of all waiting"), number_column("ms a step"),
                             text_column("by")},
                            rows) +
           matrices +
           "\nSlowest: computes longest, in sum and in most decode steps. Waiting for a rank: "
           "until "
           "it came as the last of those that a collective cannot go on without; ± and `<`: what "
           "the clocks leave open. All decode steps count, the first one too.\n" +
           (is_estimated ? "Some traces have not recorded for whom ranks waited: what they waited "
                           "in a step is put to the rank that computed longest in it.\n"
                         : "");
}

std::string messages_section(const ScalingTable& table) {
    std::vector<std::vector<std::string>> rows;
    for (const ScalingRow& row : table.rows) {
        if (row.n_ranks < 2) continue;
        const auto fit = message_fit(row);
        for (const perf::Point& point : message_times_of(row)) {
            const auto line = [&](double bytes) {
                return fit ? std::optional(1e6 * (fit->offset.value + bytes * fit->slope.value))
                           : std::nullopt;
            };
            rows.push_back({tables::cell(name_of(row)), fmt::format("{:.0f}", point.x),
                            tables::number(1e6 * point.y, 1), tables::number(line(point.x), 1)});
        }
        if (!fit) continue;
        rows.push_back({tables::cell(name_of(row)), "α, G",
                        fmt::format("{:.1f} us ({:.1f} … {:.1f})", 1e6 * fit->offset.value,
                                    1e6 * fit->offset.low, 1e6 * fit->offset.high),
                        fmt::format("{:.2f} ns/byte ({:.2f} … {:.2f})", 1e9 * fit->slope.value,
                                    1e9 * fit->slope.low, 1e9 * fit->slope.high)});
    }
    if (rows.empty()) return "";
    return "\n### All-reduces over their size\n\n" +
           tables::markdown({text_column("ranks × threads"), number_column("bytes"),
                             number_column("wire us"), number_column("α + G·bytes, us")},
                            rows) +
           "\nWire: mean time of one from the last rank's arrival on; bytes: of the longest "
           "payload "
           "of a rank. The line needs two sizes.\n";
}

std::string clocks_section(const ScalingTable& table) {
    std::string text;
    for (const ScalingRow& row : table.rows)
        for (const ClockReading& clock : row.totals.clocks) {
            if (!clock.is_resolved()) continue;
            text += fmt::format(
                "- {}: the clock of rank {} ({}) was {:.3f} ± {:.3f} ms {} rank 0's at the start "
                "and ran {:.2f} ± {:.2f} ppm {}\n",
                printable(clock.path), clock.rank, tables::cell(clock.host),
                1e3 * std::abs(clock.offset_s), 1e3 * clock.uncertainty_s,
                clock.offset_s > 0 ? "behind" : "ahead of", std::abs(clock.drift_ppm),
                clock.drift_uncertainty_ppm, clock.drift_ppm < 0 ? "slow" : "fast");
        }
    if (text.empty()) return "";
    return "\n### Clocks\n\n" + text + "\nTimes above are corrected for it.\n";
}

} // namespace pillar::report
