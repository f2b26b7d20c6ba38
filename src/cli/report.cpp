// report: tables from traces; recovery of a trace whose run did not reach its end.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/text.hpp"
#include "pillar/exports/exports.hpp"
#include "pillar/metering/meter_log.hpp"
#include "pillar/plots/draw.hpp"
#include "pillar/plots/page.hpp"
#include "pillar/recording/convert.hpp"
#include "pillar/report/render.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <fstream>
#include <memory>

namespace pillar::cli {

namespace {

struct ReportOptions {
    std::vector<std::string> traces;
    std::string recover;
    std::string profile;
    std::string power;
    std::string power_zone;
    std::string plots;
    std::string html;
    tables::Format format = tables::Format::md;
    bool force = false;
    struct Export {
        std::string format; ///< "chrome", "csv" or "otf2"
        std::string path;
    };
    std::vector<Export> exports;
};

/// "chrome FILE.json"
ReportOptions::Export parse_export(const std::string& text) {
    const std::size_t blank = text.find(' ');
    const std::string format = text.substr(0, blank);
    if (format != "chrome" && format != "csv" && format != "otf2")
        throw UsageError(fmt::format("--export {}: give chrome FILE.json, csv DIR or otf2 DIR",
                                     printable(format, 60)));
    std::string path = text.substr(std::min(blank, text.size() - 1) + 1);
    if (path.empty())
        throw UsageError(fmt::format("--export {}: name the {} to write", format,
                                     format == "chrome" ? "file" : "folder"));
    return {format, std::move(path)};
}

int write_exports(const ReportOptions& options) {
    if (options.traces.size() != 1)
        throw UsageError(fmt::format("--export writes one trace, but {} are named: give one",
                                     options.traces.size()));
    if (!prints()) return 0;
    prepare_process(); // Ctrl-C leaves nothing unfinished
    const std::string& trace = options.traces.front();
    for (const auto& [format, path] : options.exports) {
        if (format == "chrome") exports::export_chrome(trace, path, options.force);
        if (format == "csv") exports::export_csv(trace, path, options.force);
        if (format == "otf2") exports::export_otf2(trace, path, options.force);
        log::text(fmt::format("{}: written\n", printable(path, 4096)));
    }
    return 0;
}

int recover(const ReportOptions& options) {
    prepare_process(); // Ctrl-C leaves nothing unfinished
    const recording::Conversion done = recording::recover(options.recover, options.force);
    std::string lost;
    if (done.n_steps_lost > 0)
        lost +=
            fmt::format("; {} more of the last gather lost", counted(done.n_steps_lost, "step"));
    if (done.n_bytes_damaged > 0)
        lost += fmt::format("; {} at the journal's end left out",
                            counted(done.n_bytes_damaged, "damaged byte"));
    log::text(fmt::format("{}: {}, {}, {} recovered{}\n", printable(done.path, 4096),
                          counted(done.n_steps, "step"), counted(done.n_tokens, "token"),
                          counted(done.n_sequences, "sequence"), lost));
    return 0;
}

std::optional<metering::MeterLog> meter_of(const ReportOptions& options) {
    std::optional<double> zone_s;
    if (!options.power_zone.empty()) {
        zone_s = metering::zone_named(options.power_zone);
        if (!zone_s)
            throw UsageError(fmt::format("--power-zone is a difference to UTC, as +02:00 or Z, not "
                                         "{}",
                                         printable(options.power_zone)));
        if (options.power.empty()) throw UsageError("--power-zone is of a log that --power names");
    }
    if (options.power.empty()) return std::nullopt;
    return metering::read_meter(options.power, zone_s);
}

void write_page(const ReportOptions& options, std::span<const report::ScalingTable> tables,
                std::span<const plots::Figure> figures) {
    const std::vector<std::string> svgs = plots::svgs_of(figures);
    const std::string page =
        plots::html_page("Report of " + counted(options.traces.size(), "trace"),
                         report::render(tables, tables::Format::md), figures, svgs);
    OutputFile output(options.html);
    std::ofstream file(output.part(), std::ios::binary);
    file << page;
    file.close();
    if (!file) throw IoError(ExitCode::io, options.html, "cannot be written");
    output.commit();
}

void write_pictures(const ReportOptions& options, std::span<const report::ScalingTable> tables,
                    const perf::MachineProfile* profile) {
    if (options.plots.empty() && options.html.empty()) return;
    const auto figures = plots::figures_of(tables, profile);
    if (!options.plots.empty()) {
        plots::expect_figures(figures, options.plots, options.force, options.traces);
        plots::draw(figures, options.plots);
    }
    if (!options.html.empty()) write_page(options, tables, figures);
}

int report(const ReportOptions& options) {
    if (!options.recover.empty()) return prints() ? recover(options) : 0;
    if (options.traces.empty())
        throw UsageError("report needs a trace: pillar report FILE.h5 [FILE.h5 ...]");
    if (!options.exports.empty()) return write_exports(options);
    prepare_process(); // Ctrl-C leaves nothing unfinished
    if (!options.html.empty()) expect_output(options.html, options.force, options.traces);
    std::optional<perf::MachineProfile> profile;
    if (!options.profile.empty()) profile = perf::read_profile(options.profile);
    const std::optional<metering::MeterLog> meter = meter_of(options);
    const auto tables =
        report::tables_of(options.traces, profile ? &*profile : nullptr, meter ? &*meter : nullptr);
    if (prints()) write_pictures(options, tables, profile ? &*profile : nullptr);
    print_text(report::render(tables, options.format));
    return 0;
}

} // namespace

void add_report(Parser& parser) {
    auto options = std::make_shared<ReportOptions>();
    Subcommand& sub =
        parser.add("report", "scaling tables and shares of time from one or more traces");
    sub.add_words("traces", options->traces, "FILE.h5", "traces written by run --trace");
    sub.add(Ranks::may_differ, "--profile", "FILE.json",
            "machine profile, as check writes it: put beside the steps what the cost model "
            "predicts of them")
        .name(options->profile);
    sub.add(Ranks::may_differ, "--power", "METER.csv",
            "log of a metered plug, or of several: joules a token, by the time of the steps")
        .name(options->power);
    sub.add(Ranks::may_differ, "--power-zone", "+HH:MM",
            "zone of the log's times where they name none (they are UTC)")
        .name(options->power_zone);
    sub.add(Ranks::may_differ, "--plots", "DIR",
            "figures as SVG, PNG and the gnuplot scripts that draw them")
        .name(options->plots);
    sub.add(Ranks::may_differ, "--html", "FILE", "one page with all tables and figures")
        .name(options->html);
    sub.add(Ranks::may_differ, "--recover", "FILE.h5.journal",
            "make FILE.h5 from the journal of a run that was cut off")
        .name(options->recover);
    add_output_format(sub, options->format, false);
    sub.add_switch(Ranks::may_differ, "--force", options->force,
                   "replace what exists: figures, a page, exports, with --recover FILE.h5");
    sub.add_list(Ranks::may_differ, "--export", "FORMAT PATH",
                 "write the trace for other programs instead: chrome FILE.json (Perfetto, "
                 "speedscope), csv DIR or otf2 DIR; may be given again")
        .takes_pair()
        .each(
            [options](const std::string& text) { options->exports.push_back(parse_export(text)); },
            [options] { return std::to_string(options->exports.size()); });
    sub.when_called([options](Command& command) {
        command.run_alone = [options] { return report(*options); };
    });
}

} // namespace pillar::cli
