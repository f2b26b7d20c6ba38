// Speed-up, efficiency, weak scaling, and sweeps over other numbers.

#include "figures/kinds.hpp"
#include "pillar/report/laws.hpp"
#include "script.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <set>

namespace pillar::plots {

namespace {

using report::Study;

constexpr std::size_t most_curves = 6; ///< as many as there are line types

/// One phase of one study: what was measured, with the law that was fitted to it.
struct Curve {
    std::string title;
    std::vector<perf::Point> times;
    report::Laws laws;
    [[nodiscard]] double base() const { return times.front().x; }
    [[nodiscard]] double speed_up(double time_s) const { return times.front().y * base() / time_s; }
};

std::vector<Curve> curves_of(const report::ScalingTable& table, Study::Kind kind) {
    std::vector<Curve> curves;
    for (const trace::Phase phase : {trace::Phase::decode, trace::Phase::prefill})
        for (const Study& study : report::studies_of(table)) {
            if (study.kind != kind || !report::is_numeric(study)) continue;
            Curve curve{fmt::format("{}{}{}", phase == trace::Phase::decode ? "decode" : "prompt",
                                    study.alike.empty() ? "" : ", ", study.alike),
                        report::times_of(table, study, phase),
                        report::laws_of(table, study, phase)};
            if (curve.times.size() > 1 && curves.size() < most_curves)
                curves.push_back(std::move(curve));
        }
    return curves;
}

std::vector<double> places_of(const std::vector<Curve>& curves) {
    std::set<double> places;
    for (const Curve& curve : curves)
        for (const perf::Point& point : curve.times) places.insert(point.x);
    return {places.begin(), places.end()};
}

/// Tics at the measured places; doubling ones lie evenly.
std::string x_axis(const std::vector<double>& places, const char* label) {
    const bool is_wide = places.back() / places.front() > 8;
    return fmt::format("set xlabel '{}'\n{}set xrange [{:g}:{:g}]\n{}", label,
                       is_wide ? "set logscale x 2\n" : "",
                       is_wide ? places.front() / 1.15 : places.front() - 0.15,
                       is_wide ? places.back() * 1.15 : places.back() + 0.15, tics("x", places));
}

std::string fraction_text(const perf::Estimate& e) {
    return fmt::format("{:.3f} ({:.3f} to {:.3f})", e.value, e.low, e.high);
}

/// Points with their bars, and the law as a line of the same colour. `of_time`: what is drawn of
/// a point's x and time.
template <class OfTime>
std::string curves_script(const std::vector<Curve>& curves, OfTime&& of_time,
                          const std::string& ideal) {
    std::string blocks;
    std::vector<std::string> pieces{ideal};
    const auto places = places_of(curves);
    int line = 0;
    for (const Curve& curve : curves) {
        ++line;
        Block points(fmt::format("$points{}", line)), law(fmt::format("$law{}", line));
        for (const perf::Point& point : curve.times)
            // Beside each other, where bars would hide one another.
            points.add(
                {point.x * (1 + 0.015 * (line - 1)), of_time(curve, point.x, point.y),
                 of_time(curve, point.x, point.y + 1.96 * point.sigma),
                 of_time(curve, point.x, std::max(point.y / 10, point.y - 1.96 * point.sigma))});
        blocks += points.text();
        pieces.push_back(fmt::format("{} using 1:2:3:4 with yerrorbars linetype {} dashtype 1 "
                                     "title {}",
                                     points.name(), line, in_quotes(curve.title)));
        if (!curve.laws.amdahl) {
            pieces.push_back(
                fmt::format("{} using 1:2 with lines linetype {} notitle", points.name(), line));
            continue;
        }
        for (int i = 0; i <= 60; ++i) {
            const double x = places.front() * std::pow(places.back() / places.front(), i / 60.0);
            law.add({x, of_time(curve, x, curve.laws.amdahl->time_s(x))});
        }
        blocks += law.text();
        pieces.push_back(fmt::format(
            "{} using 1:2 with lines linetype {} title {}", law.name(), line,
            in_quotes(fmt::format("Amdahl, s = {:.3f}", curve.laws.amdahl->serial.value))));
    }
    return blocks + plot(pieces);
}

std::string serial_parts(const std::vector<Curve>& curves) {
    std::string text;
    for (const Curve& curve : curves)
        if (curve.laws.amdahl)
            text += fmt::format(" Serial part of {}: {}.", curve.title,
                                fraction_text(curve.laws.amdahl->serial));
    return text;
}

void add_pair(Figures& figures, const report::ScalingTable& table, Study::Kind kind,
              const std::string& ending, const char* axis, const char* what, const char* one) {
    const auto curves = curves_of(table, kind);
    if (curves.empty()) return;
    const std::string axes = x_axis(places_of(curves), axis);
    const double base = curves.front().base();
    figures.push_back(
        {"speed-up" + ending, fmt::format("Speed-up over {}", what),
         fmt::format("S = T({0:g})·{0:g}/T(p) of the median times; bars are their 95 % intervals, "
                     "lines Amdahl's law fitted to the points.{1}",
                     base, serial_parts(curves)),
         style() + axes +
             fmt::format("set ylabel 'speed-up over {:g} {}'\nset yrange [0:*]\n", base,
                         base == 1 ? one : what) +
             curves_script(
                 curves,
                 [](const Curve& curve, double, double time_s) { return curve.speed_up(time_s); },
                 "x with lines linecolor '#808080' linewidth 1.2 dashtype 3 title 'ideal'")});
    figures.push_back(
        {"efficiency" + ending, fmt::format("Efficiency over {}", what),
         "Speed-up by ideal speed-up; bars and lines as in the figure of the speed-up.",
         style() + axes + "set ylabel 'efficiency, %'\nset yrange [0:*]\n" +
             curves_script(
                 curves,
                 [](const Curve& curve, double x, double time_s) {
                     return 100 * curve.speed_up(time_s) / x;
                 },
                 "100 with lines linecolor '#808080' linewidth 1.2 dashtype 3 title 'ideal'")});
}

} // namespace

void add_speed_ups(Figures& figures, const report::ScalingTable& table) {
    add_pair(figures, table, Study::Kind::strong, "", "ranks p", "ranks", "rank");
    add_pair(figures, table, Study::Kind::threads, "-threads", "threads a rank p",
             "threads of a rank", "thread");
}

void add_weak_scaling(Figures& figures, const report::ScalingTable& table) {
    const auto curves = curves_of(table, Study::Kind::weak);
    if (curves.empty() || curves.front().base() != 1) return;
    std::string script = style() + x_axis(places_of(curves), "ranks p, work grows alike") +
                         "set ylabel 'scaled speed-up'\nset yrange [0:*]\n";
    std::vector<std::string> pieces{
        "x with lines linecolor '#808080' linewidth 1.2 dashtype 3 title 'ideal'"};
    std::string parts;
    int line = 0;
    for (const Curve& curve : curves) {
        Block points(fmt::format("$points{}", ++line));
        for (const perf::Point& point : curve.times) points.add({point.x, curve.speed_up(point.y)});
        script += points.text();
        pieces.push_back(fmt::format("{} using 1:2 with points linetype {} title {}", points.name(),
                                     line, in_quotes(curve.title)));
        if (!curve.laws.gustafson) continue;
        const perf::Estimate& serial = curve.laws.gustafson->serial;
        pieces.push_back(
            fmt::format("x - {:.9g} * (x - 1) with lines linetype {} title {}", serial.value, line,
                        in_quotes(fmt::format("Gustafson, s = {:.3f}", serial.value))));
        parts += fmt::format(" Serial part of {}: {}.", curve.title, fraction_text(serial));
    }
    figures.push_back({"weak-scaling", "Weak scaling",
                       "Tokens a second by those of one rank, where the work grows with the ranks; "
                       "lines are Gustafson's law." +
                           parts,
                       script + plot(pieces)});
}

void add_sweeps(Figures& figures, const report::ScalingTable& table) {
    std::set<std::string> drawn;
    for (const Study& study : report::studies_of(table)) {
        using enum Study::Kind;
        if (study.kind == strong || study.kind == weak || study.kind == threads ||
            study.kind == message || !report::is_numeric(study) || study.points.size() < 2 ||
            !drawn.insert(study.setting).second)
            continue;
        std::string script = style();
        std::vector<std::string> pieces;
        std::set<double> places;
        int line = 0;
        for (const trace::Phase phase : {trace::Phase::decode, trace::Phase::prefill})
            for (const Study& like : report::studies_of(table)) {
                if (like.setting != study.setting || line == static_cast<int>(most_curves))
                    continue;
                Block points(fmt::format("$points{}", ++line));
                for (const perf::Point& time : report::times_of(table, like, phase)) {
                    points.add({time.x, 1 / time.y, 1 / (time.y + 1.96 * time.sigma),
                                1 / std::max(time.y / 10, time.y - 1.96 * time.sigma)});
                    places.insert(time.x);
                }
                if (points.is_empty()) continue;
                script += points.text();
                pieces.push_back(fmt::format(
                    "{0} using 1:2 with lines linetype {1} notitle, {0} using 1:2:3:4 with "
                    "yerrorbars linetype {1} dashtype 1 title {2}",
                    points.name(), line,
                    in_quotes(fmt::format("{}{}{}",
                                          phase == trace::Phase::decode ? "decode" : "prompt",
                                          like.alike.empty() ? "" : ", ", like.alike))));
            }
        if (pieces.empty()) continue;
        const std::vector<double> all(places.begin(), places.end());
        script +=
            fmt::format("set xlabel {}\nset ylabel 'tokens a second'\nset yrange [0:*]\n{}{}",
                        in_quotes(study.setting),
                        all.front() > 0 && all.back() / all.front() > 8 ? "set logscale x 2\n" : "",
                        tics("x", all));
        figures.push_back({"sweep-" + study.setting, "Tokens a second over " + study.setting,
                           "Medians with their 95 % intervals.", script + plot(pieces)});
    }
}

} // namespace pillar::plots
