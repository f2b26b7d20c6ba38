// What network and machine did: all-reduces over their size, the roofline, clocks and watts.

#include "figures/kinds.hpp"
#include "pillar/report/laws.hpp"
#include "script.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <set>

namespace pillar::plots {

namespace {

constexpr int most_rows = 6; ///< as many as there are line types

/// One point of the roofline.
void add_work(std::string& blocks, std::vector<std::string>& pieces, const std::string& name,
              const report::Work& work, const std::string& title, int line, int point) {
    if (work.bytes <= 0 || work.macs <= 0 || work.compute_s <= 0) return;
    Block block(name);
    block.add({work.macs / work.bytes, work.macs / work.compute_s / 1e9});
    blocks += block.text();
    pieces.push_back(fmt::format("{} using 1:2 with points linetype {} pointtype {} pointsize 1.6 "
                                 "title {}",
                                 name, line, point, in_quotes(title)));
}

std::string time_panel(const std::vector<const report::Series*>& series, const char* label,
                       bool from_zero, std::string& blocks, int& n_blocks) {
    std::vector<std::string> pieces;
    int line = 0;
    for (const report::Series* one : series) {
        Block block(fmt::format("$series{}", ++n_blocks));
        for (std::size_t i = 0; i < one->time_s.size(); ++i)
            block.add({one->time_s[i], one->values[i]});
        blocks += block.text();
        line = line % most_rows + 1;
        pieces.push_back(fmt::format("{} using 1:2 with linespoints linetype {} pointsize 0.6 "
                                     "title {}",
                                     block.name(), line, in_quotes(one->name)));
    }
    return fmt::format("set ylabel '{}'\nset yrange [{}:*]\n{}", label, from_zero ? "0" : "*",
                       plot(pieces));
}

/// 1, 2 and 5 of each decade within the range: a logarithmic axis of one decade has labels too.
std::string decade_tics(const char* axis, double least, double most) {
    std::vector<double> places;
    for (double decade = std::pow(10, std::floor(std::log10(least))); decade <= most; decade *= 10)
        for (const double digit : {1.0, 2.0, 5.0})
            if (decade * digit >= least && decade * digit <= most) places.push_back(decade * digit);
    return tics(axis, places);
}

/// On a logarithmic axis labels that are closer would run into one another.
std::vector<double> apart(const std::set<double>& places) {
    constexpr double least_ratio = 1.5;
    std::vector<double> kept;
    for (const double place : places)
        if (kept.empty() || place >= least_ratio * kept.back()) kept.push_back(place);
    return kept;
}

} // namespace

void add_messages(Figures& figures, const report::ScalingTable& table) {
    std::string blocks, lines;
    std::vector<std::string> pieces;
    std::set<double> sizes;
    double least_x = 1e300, most_x = 0, least_y = 1e300, most_y = 0;
    int line = 0;
    for (const report::ScalingRow& row : table.rows) {
        const auto points =
            row.n_ranks > 1 ? report::message_times_of(row) : std::vector<perf::Point>();
        if (points.empty() || line == most_rows) continue;
        Block block(fmt::format("$sums{}", ++line));
        for (const perf::Point& point : points) {
            block.add({point.x, 1e6 * point.y});
            least_x = std::min(least_x, point.x);
            most_x = std::max(most_x, point.x);
            sizes.insert(point.x);
            least_y = std::min(least_y, 1e6 * point.y);
            most_y = std::max(most_y, 1e6 * point.y);
        }
        blocks += block.text();
        pieces.push_back(fmt::format("{} using 1:2 with points linetype {} title {}", block.name(),
                                     line, in_quotes(label_of(row))));
        const auto fit = report::message_fit(row);
        if (!fit) continue;
        lines += fmt::format(
            " {}: α = {:.1f} us ({:.1f} to {:.1f}), G = {:.2f} ns a byte ({:.2f} to "
            "{:.2f}).",
            label_of(row), 1e6 * fit->offset.value, 1e6 * fit->offset.low, 1e6 * fit->offset.high,
            1e9 * fit->slope.value, 1e9 * fit->slope.low, 1e9 * fit->slope.high);
        pieces.push_back(fmt::format("(x >= {:g} && x <= {:g} ? {:.9g} + {:.9g} * x : NaN) with "
                                     "lines linetype {} notitle",
                                     points.front().x / 1.01, points.back().x * 1.01,
                                     1e6 * fit->offset.value, 1e6 * fit->slope.value, line));
    }
    if (pieces.empty()) return;
    figures.push_back(
        {"all-reduce", "All-reduce over its size",
         "Mean time of moving an all-reduce's bytes, from the last rank's arrival on, "
         "prompts and decode steps together. Lines are α + G·bytes." +
             lines,
         style() + blocks +
             "set logscale xy 10\nset samples 400\n"
             "set grid xtics ytics linecolor '#b8b8b8' linewidth 0.8\n"
             "set xlabel 'bytes of the longest payload of a rank'\n"
             "set ylabel 'microseconds'\n" +
             (sizes.size() <= 8 ? tics("x", apart(sizes)) : "") +
             decade_tics("y", least_y / 1.6, most_y * 1.6) +
             fmt::format("set xrange [{:g}:{:g}]\nset yrange [{:g}:{:g}]\n", least_x / 1.6,
                         most_x * 1.6, least_y / 1.6, most_y * 1.6) +
             plot(pieces)});
}

void add_roofline(Figures& figures, const report::ScalingTable& table,
                  const perf::MachineProfile* profile) {
    std::string blocks, roof;
    std::vector<std::string> pieces;
    if (profile != nullptr) {
        const auto line = [](double bytes_per_s, double macs_per_s, const char* dashes,
                             const std::string& title) {
            return fmt::format("({:.9g} * x < {:.9g} ? {:.9g} * x : {:.9g}) with lines linecolor "
                               "'#000000' linewidth 1.8 dashtype {} title {}",
                               bytes_per_s / 1e9, macs_per_s / 1e9, bytes_per_s / 1e9,
                               macs_per_s / 1e9, dashes, in_quotes(title));
        };
        pieces.push_back(
            line(profile->read_bytes_per_s, profile->macs_per_s, "1", profile->name + ": peak"));
        pieces.push_back(line(profile->read_bytes_per_s * profile->read_efficiency,
                              profile->macs_per_s * profile->mac_efficiency, "2",
                              "as products reach it"));
    }
    const std::size_t n_roofs = pieces.size();
    int line = 0;
    for (const report::ScalingRow& row : table.rows) {
        if (line == most_rows) break;
        ++line;
        add_work(blocks, pieces, fmt::format("$decode{}", line), row.totals.decode_work,
                 "decode " + label_of(row), line, 6);
        add_work(blocks, pieces, fmt::format("$prompt{}", line), row.totals.prompt_work,
                 "prompt " + label_of(row), line, 7);
    }
    if (pieces.size() == n_roofs) return;
    figures.push_back(
        {"roofline", "Roofline of a rank",
         std::string("Multiplications of matrices and attention by the bytes of weights and cache "
                     "that they read, and by the time of computing; mean over the ranks.") +
             (profile == nullptr ? " A machine profile (--profile) would add the roof." : ""),
         style() + blocks +
             "set logscale xy 10\nset grid xtics ytics linecolor '#b8b8b8' linewidth 0.8\n"
             "set xlabel 'multiply-accumulates (MAC) a byte'\n"
             "set ylabel '10⁹ MAC a second'\n"
             "set xrange [0.5:1000]\nset key outside right center vertical maxrows 16\n" +
             plot(pieces),
         960, 480});
}

void add_over_time(Figures& figures, const report::ScalingTable& table) {
    for (const report::Series::Kind kind :
         {report::Series::Kind::core_hz, report::Series::Kind::watts}) {
        // The row with most samples stands for the table.
        const auto count = [&](const report::ScalingRow& row) {
            std::size_t n = 0;
            for (const report::Series& one : row.totals.series)
                if (one.kind == kind) n += one.time_s.size();
            return n;
        };
        const auto row = std::ranges::max_element(table.rows, {}, count);
        if (count(*row) < 2) continue;
        std::string blocks, panels;
        int n_blocks = 0, n_panels = 0;
        const auto add = [&](report::Series::Kind wanted, const char* label, bool from_zero) {
            std::vector<const report::Series*> series;
            for (const report::Series& one : row->totals.series)
                if (one.kind == wanted && !one.time_s.empty()) series.push_back(&one);
            if (series.empty()) return;
            ++n_panels;
            panels += time_panel(series, label, from_zero, blocks, n_blocks);
        };
        const bool is_watts = kind == report::Series::Kind::watts;
        if (is_watts) {
            add(report::Series::Kind::watts, "watts", true);
        } else {
            add(report::Series::Kind::core_hz, "core clock, GHz", true);
            add(report::Series::Kind::temperature, "temperature, °C", false);
        }
        std::string script =
            style() + blocks + "set xlabel 'seconds since the run began'\n" + "set xrange [0:*]\n";
        if (n_panels > 1) script += fmt::format("set multiplot layout {},1\n", n_panels);
        script += panels;
        if (n_panels > 1) script += "unset multiplot\n";
        figures.push_back(
            {is_watts ? "watts" : "clocks",
             fmt::format("{} over time, {}", is_watts ? "Watts" : "Core clock and temperature",
                         label_of(*row)),
             is_watts ? "What the meter logged during the first run of the row."
                      : "Of the first run of the row, each rank's node.",
             script, 800, 220 + 260 * n_panels});
    }
}

} // namespace pillar::plots
