// report: tables from traces; recovery of a trace whose run did not reach its end.

#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/report/render.hpp"
#include "pillar/trace/convert.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace pillar::cli {

namespace {

struct ReportOptions {
    std::vector<std::string> traces;
    std::string recover;
    std::string profile;
    std::string format = "md";
    bool force = false;
};

int recover(const ReportOptions& options) {
    const trace::Conversion done = trace::recover(options.recover, options.force);
    std::string lost;
    if (done.n_steps_lost > 0)
        lost += fmt::format("; {} more of the last gather are lost", done.n_steps_lost);
    if (done.n_bytes_damaged > 0)
        lost += fmt::format("; {} damaged bytes at the journal's end were left out",
                            done.n_bytes_damaged);
    fmt::print(stderr, "{}: {} steps, {} tokens, {} sequences recovered{}\n", done.path,
               done.n_steps, done.n_tokens, done.n_sequences, lost);
    return 0;
}

int report(const ReportOptions& options) {
    if (!options.recover.empty()) return prints() ? recover(options) : 0;
    if (options.traces.empty())
        throw UsageError("report needs a trace: pillar report FILE.h5 [FILE.h5 ...]");
    std::optional<perf::MachineProfile> profile;
    if (!options.profile.empty()) profile = perf::read_profile(options.profile);
    const std::string text = report::report(options.traces, report::format_of(options.format),
                                            profile ? &*profile : nullptr);
    if (prints()) fmt::print("{}", text);
    return 0;
}

} // namespace

void add_report(CLI::App& app, Command& command) {
    auto options = std::make_shared<ReportOptions>();
    CLI::App* sub =
        app.add_subcommand("report", "scaling tables and shares of time from one or more traces");
    sub->add_option("traces", options->traces, "traces written by run --trace")
        ->type_name("FILE.h5");
    sub->add_option("--profile", options->profile,
                    "machine profile, as check writes it: put beside the steps what the cost model "
                    "predicts of them")
        ->type_name("FILE.json");
    sub->add_option("--recover", options->recover,
                    "make FILE.h5 from the journal of a run that was cut off")
        ->type_name("FILE.h5.journal");
    sub->add_option("-o,--output", options->format, "md, csv or json")
        ->check(CLI::IsMember({"md", "csv", "json"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    sub->add_flag("--force", options->force, "with --recover: replace an existing FILE.h5");
    sub->callback(
        [options, &command] { command.run_alone = [options] { return report(*options); }; });
}

} // namespace pillar::cli
