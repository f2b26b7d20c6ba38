// Where the time went: shares, latencies, one token over the ranks, who waited for whom.

#include "figures/areas.hpp"
#include "figures/kinds.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"
#include "script.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <map>

namespace pillar::plots {

namespace {

/// One stacked bar: the four shares in percent.
void add_bar(Block& bars, const std::vector<report::RankTotals>& ranks, double outside,
             const std::string& label) {
    const report::Shares shares = report::shares_of(ranks);
    const double inside = 100 * (1 - outside);
    bars.add({inside * shares.compute, inside * shares.wait, inside * shares.wire, 100 * outside},
             label);
}

std::string panel(const Block& bars, const char* title, std::size_t n_bars) {
    std::vector<std::string> pieces;
    int column = 0;
    for (const Area& part : areas) {
        ++column;
        pieces.push_back(fmt::format("{} using {}{} with histograms {} title '{}'", bars.name(),
                                     column, column == 1 ? ":xtic(5)" : "", part.fill, part.name));
    }
    return fmt::format("set title '{}'\nset xrange [-0.6:{:.1f}]\n{}", title,
                       static_cast<double>(n_bars) - 0.4, plot(pieces));
}

/// Positions in equal parts, with the latencies of the tokens there.
std::map<int, std::vector<double>> bins_of(const std::vector<report::TokenLatency>& tokens,
                                           double& width) {
    const auto [first, last] = std::ranges::minmax(tokens, {}, &report::TokenLatency::position);
    const double span = std::max(1, last.position - first.position + 1);
    const auto n_bins = std::clamp<double>(static_cast<double>(tokens.size()) / 8, 1, 24);
    width = std::max(1.0, std::ceil(span / n_bins));
    std::map<int, std::vector<double>> bins;
    for (const report::TokenLatency& token : tokens)
        if (std::isfinite(token.latency_s))
            bins[static_cast<int>((token.position - first.position) / width)].push_back(
                1e3 * token.latency_s);
    return bins;
}

} // namespace

void add_shares(Figures& figures, const report::ScalingTable& table) {
    Block decode("$decode"), prompt("$prompt");
    std::size_t n_decode = 0, n_prompt = 0;
    bool is_long = table.rows.size() > 5;
    for (const report::ScalingRow& row : table.rows) {
        is_long |= !row.variant.empty();
        if (row.totals.n_decode_tokens > 0) {
            add_bar(decode, row.totals.ranks, report::outside_share(row.totals).value_or(0),
                    label_of(row));
            ++n_decode;
        }
        if (row.totals.n_prompt_tokens > 0) {
            add_bar(prompt, row.totals.prompt_ranks, 0, label_of(row));
            ++n_prompt;
        }
    }
    if (n_decode + n_prompt == 0) return;
    std::string script =
        style() + decode.text() + prompt.text() +
        "set style data histograms\nset style histogram rowstacked\nset boxwidth 0.7\n"
        "set yrange [0:100]\nset ylabel 'share of the time, %'\nset xlabel 'ranks × threads'\n" +
        (is_long ? "set xtics rotate by -35\n" : "");
    const bool has_both = n_decode > 0 && n_prompt > 0;
    if (has_both) script += "set multiplot layout 1,2\n";
    if (n_decode > 0) script += panel(decode, "decode", n_decode);
    if (n_prompt > 0) script += panel(prompt, "prompt", n_prompt);
    if (has_both) script += "unset multiplot\n";
    figures.push_back(
        {"shares", "Where the time goes",
         "All ranks together. Wait: until the last rank came; wire: moving bytes after "
         "that; sample: between two tokens, where rank 0 samples and prints.",
         script, has_both ? 900 : 640, is_long ? 600 : 460});
}

void add_latency(Figures& figures, const report::ScalingTable& table) {
    const report::ScalingRow* row = widest_row(table);
    if (row == nullptr || row->totals.tokens.size() < 4) {
        const auto longest = std::ranges::max_element(
            table.rows, {}, [](const auto& one) { return one.totals.tokens.size(); });
        row = &*longest;
    }
    if (row->totals.tokens.size() < 4) return;
    Block points("$tokens"), bands("$percentiles");
    std::vector<double> all_ms;
    for (const report::TokenLatency& token : row->totals.tokens) {
        points.add({static_cast<double>(token.position), 1e3 * token.latency_s});
        if (std::isfinite(token.latency_s)) all_ms.push_back(1e3 * token.latency_s);
    }
    if (all_ms.empty()) return;
    double width = 1;
    const auto bins = bins_of(row->totals.tokens, width);
    const int first =
        std::ranges::min_element(row->totals.tokens, {}, &report::TokenLatency::position)->position;
    for (const auto& [bin, values] : bins)
        bands.add({first + (bin + 0.5) * width, quantile(values, 0.1), quantile(values, 0.5),
                   quantile(values, 0.9), quantile(values, 0.99)});
    // One token that took a second would press all others onto the axis.
    const double top_ms = 1.25 * quantile(all_ms, 0.99);
    const auto n_above =
        std::ranges::count_if(all_ms, [&](double latency_ms) { return latency_ms > top_ms; });
    figures.push_back(
        {"latency", fmt::format("Time of a token over its position, {}", label_of(*row)),
         fmt::format("Each point is a token; percentiles are of {:g} positions each.{}", width,
                     n_above == 0 ? ""
                                  : fmt::format(" {} lie above the figure, the slowest with {:.1f} "
                                                "ms.",
                                                n_above, *std::ranges::max_element(all_ms))),
         style() + points.text() + bands.text() +
             fmt::format(
                 "set xlabel 'position in the sequence'\nset ylabel 'milliseconds a token'\n"
                 "set yrange [0:{:.6g}]\n",
                 top_ms) +
             plot(
                 {"$tokens using 1:2 with points pointtype 7 pointsize 0.4 linecolor '#A0A0A0' "
                  "title 'tokens'",
                  "$percentiles using 1:2 with lines linetype 3 title '10 %'",
                  "$percentiles using 1:3 with linespoints linetype 1 pointsize 0.8 title 'median'",
                  "$percentiles using 1:4 with lines linetype 2 title '90 %'",
                  "$percentiles using 1:5 with lines linetype 6 title '99 %'"})});
}

void add_waiting(Figures& figures, const report::ScalingTable& table) {
    const report::ScalingRow* row = widest_row(table);
    if (row == nullptr || row->totals.waiting.total_s() <= 0) return;
    const report::WaitingMatrix& matrix = row->totals.waiting;
    const double scale = 1e3 / static_cast<double>(std::max<std::size_t>(1, matrix.n_steps));
    double largest = 0;
    for (std::size_t rank = 0; rank < matrix.n_ranks(); ++rank)
        for (std::size_t cause = 0; cause < matrix.n_ranks(); ++cause)
            largest = std::max(largest, scale * matrix.wait_s(rank, cause));
    Block cells("$cells"), dark("$dark"), bright("$bright");
    std::vector<double> places;
    std::vector<std::string> labels;
    for (std::size_t rank = 0; rank < matrix.n_ranks(); ++rank) {
        places.push_back(static_cast<double>(rank));
        labels.push_back(fmt::format("{} {}", rank, row->totals.ranks[rank].host));
        for (std::size_t cause = 0; cause < matrix.n_ranks(); ++cause) {
            const double wait_ms = scale * matrix.wait_s(rank, cause);
            const auto x = static_cast<double>(cause), y = static_cast<double>(rank);
            cells.add({x, y, wait_ms});
            (wait_ms > 0.62 * largest ? bright : dark)
                .add({x, y}, rank == cause ? "–" : fmt::format("{:.2f}", wait_ms));
        }
    }
    const auto end = static_cast<double>(matrix.n_ranks()) - 0.5;
    std::string script =
        style() + cells.text() + dark.text() + bright.text() +
        "unset grid\nset border 15\nunset key\n"
        "set palette defined (0 '#FFFFFF', 0.5 '#7FB8D8', 1 '#003A5D')\n" +
        fmt::format("set cbrange [0:{:.6g}]\nset cblabel 'milliseconds a decode step'\n"
                    "set xlabel 'waited for rank'\nset ylabel 'rank that waited'\n"
                    "set xrange [-0.5:{:.1f}]\nset yrange [{:.1f}:-0.5]\n",
                    largest, end, end) +
        tics("x", places) + tics("y", places, labels);
    std::vector<std::string> pieces{"$cells using 1:2:3 with image"};
    if (matrix.n_ranks() <= 16) {
        if (!dark.is_empty()) pieces.push_back("$dark using 1:2:3 with labels textcolor 'black'");
        if (!bright.is_empty())
            pieces.push_back("$bright using 1:2:3 with labels textcolor 'white'");
    }
    figures.push_back(
        {"waiting", fmt::format("Who waited for whom, {}", label_of(*row)),
         "Milliseconds a decode step that the rank of a line waited until the rank of "
         "a column came.",
         script + plot(pieces), 680, 540});
}

} // namespace pillar::plots
