// Studies and the laws fitted to them.

#include "pillar/report/laws.hpp"
#include "pillar/tables/markdown.hpp"
#include "sections/sections.hpp"

#include <cmath>
#include <fmt/core.h>

namespace pillar::report {

namespace {

using tables::number_column, tables::text_column;

std::string title_of(const Study& study) {
    return tables::cell(
        fmt::format("{}{}{}", name_of(study), study.alike.empty() ? "" : ": ", study.alike));
}

void add_points(std::vector<std::vector<std::string>>& rows, const ScalingTable& table,
                const Study& study) {
    const Totals& base = table.rows[study.points.front().row].totals;
    const auto base_time = seconds_per_token(base);
    const auto base_prompt = prompt_tokens_per_s(base);
    for (const StudyPoint& point : study.points) {
        const Totals& totals = table.rows[point.row].totals;
        const auto time = seconds_per_token(totals);
        const auto prompt = prompt_tokens_per_s(totals);
        std::optional<double> times, prompt_times;
        if (time && base_time) times = base_time->median / time->median;
        if (prompt && base_prompt) prompt_times = *prompt / *base_prompt;
        rows.push_back(
            {title_of(study), tables::cell(point.label),
             time ? tables::seconds(time->median) : tables::none,
             time ? fmt::format("{} … {}", tables::seconds(time->low), tables::seconds(time->high))
                  : tables::none,
             tables::number(median_tokens_per_s(totals), 2), tables::number(times, 2),
             tables::number(prompt, 2), tables::number(prompt_times, 2)});
    }
}

class LawRows {
  private:
    auto row_of(const Study& study, const std::string& steps, const std::string& law,
                const perf::Quality& quality) {
        return [this, title = title_of(study), steps, law,
                quality](const char* parameter, const perf::Estimate& e, bool is_time) {
            const auto text = [is_time](double value) {
                const double size = std::abs(value);
                return (value < 0 ? "−" : "") +
                       (is_time ? tables::seconds(size) : fmt::format("{:.3f}", size));
            };
            rows_.push_back({title, steps, law, parameter, text(e.value),
                             fmt::format("{} … {}", text(e.low), text(e.high)),
                             fmt::format("{}", quality.n_points),
                             quality.n_beyond == 0
                                 ? tables::none
                                 : tables::percent(quality.largest_relative_error)});
        };
    }

  public:
    void add(const Study& study, const Laws& laws) {
        const std::string steps = laws.phase == trace::Phase::decode ? "decode" : "prompt";
        if (laws.amdahl) {
            const auto& fit = *laws.amdahl;
            const auto add_one = row_of(study, steps, "Amdahl T(1)·(s + (1 − s)/p)", fit.quality);
            add_one("s", fit.serial, false);
            add_one("T(1), s", fit.one_s, true);
        }
        if (laws.gustafson)
            row_of(study, steps, "Gustafson S = p − s·(p − 1)",
                   laws.gustafson->quality)("s", laws.gustafson->serial, false);
        if (laws.time) {
            const auto& fit = *laws.time;
            const auto add_one = row_of(study, steps, "T(p) = a + b/p + c·log₂p", fit.quality);
            add_one("a, s", fit.a, true);
            add_one("b, s", fit.b, true);
            add_one("c, s", fit.c, true);
        }
    }
    [[nodiscard]] const std::vector<std::vector<std::string>>& rows() const { return rows_; }

  private:
    std::vector<std::vector<std::string>> rows_;
};

} // namespace

std::string studies_section(const ScalingTable& table) {
    std::vector<std::vector<std::string>> rows;
    for (const Study& study : studies_of(table))
        if (study.kind != Study::Kind::message) add_points(rows, table, study);
    if (rows.empty()) return "";
    return "\n### Studies\n\n" +
           tables::markdown({text_column("study"), number_column("value"), number_column("s/token"),
                             number_column("95 % interval"), number_column("tok/s"),
                             number_column("× first"), number_column("prompt tok/s"),
                             number_column("× first")},
                            rows) +
           "\nA study is of rows that are alike in all but one setting; × first: how many times as "
           "fast as its first row.\n";
}

std::string laws_section(const ScalingTable& table) {
    LawRows laws;
    for (const Study& study : studies_of(table))
        for (const trace::Phase phase : {trace::Phase::decode, trace::Phase::prefill})
            laws.add(study, laws_of(table, study, phase));
    if (laws.rows().empty()) return "";
    return "\n### Laws of scaling\n\n" +
           tables::markdown({text_column("study"), text_column("steps"), text_column("law"),
                             text_column("parameter"), number_column("value"),
                             number_column("95 % interval"), number_column("points"),
                             number_column("worst point")},
                            laws.rows()) +
           "\nWeighted least squares on the median times; an interval has the medians' uncertainty "
           "and, where points lie farther off the law than that, their scatter about it. Worst "
           "point: how far the law misses it; – where there are no more points than parameters, "
           "so that any law goes through them. s: serial part, its speed-up is at most 1/s.\n";
}

} // namespace pillar::report
