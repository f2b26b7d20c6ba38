// FILE.h5 → columns, with their lengths checked against each other.

#include "pillar/trace/reader.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/shell.hpp"
#include "pillar/storage/reader.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/trace/journal.hpp"

#include <filesystem>
#include <fmt/format.h>

namespace pillar::trace {

namespace {

std::string to_text(const storage::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
    return fmt::format("{}", std::get<double>(value));
}

void refuse_unfinished(const std::string& path) {
    const auto advice = [](const std::string& journal) {
        return "is of a run that did not end; `pillar report --recover " + shell_word(journal) +
               "` makes a trace of it";
    };
    if (path.ends_with(".journal")) throw FormatError(path, "", std::nullopt, advice(path));
    std::error_code problem;
    if (std::filesystem::exists(path, problem) || problem) return;
    const std::string journal = journal_path_of(path);
    if (std::filesystem::exists(journal, problem))
        throw IoError(ExitCode::no_input, journal, advice(journal));
}

/// Reads columns of one file and refuses those that do not fit together.
class Columns {
  public:
    explicit Columns(const std::string& path) : path_(path), file_(path) {}

    template <class T>
    void read(const char* column, std::vector<T>& values, std::size_t n) const {
        values = file_.column<T>(column);
        expect_length(column, values.size(), n);
    }
    [[nodiscard]] std::vector<std::string> texts(const char* column, std::size_t n) const {
        auto values = file_.texts(column);
        expect_length(column, values.size(), n);
        return values;
    }
    [[nodiscard]] std::string root_text(const char* name) const {
        const auto value = file_.attribute("/", name);
        return value ? to_text(*value) : "";
    }
    [[nodiscard]] std::size_t length(const char* column) const {
        const auto shape = file_.shape(column);
        if (shape.size() != 1) {
            throw FormatError(path_, column, std::nullopt, "is not one-dimensional");
        }
        return shape[0];
    }
    [[nodiscard]] const storage::Reader& file() const noexcept { return file_; }

  private:
    void expect_length(const char* column, std::size_t length, std::size_t expected) const {
        if (length == expected) return;
        throw FormatError(path_, column, std::nullopt,
                          fmt::format("has {} elements instead of {}", length, expected));
    }

    std::string path_;
    storage::Reader file_;
};

void read_hosts(const Columns& columns, Trace& trace) {
    const std::size_t n = columns.length("/hosts/rank");
    trace.hosts.resize(n);
    std::vector<std::uint32_t> n_threads, throttled;
    std::vector<double> uncertainty_s;
    columns.read("/hosts/n_threads", n_threads, n);
    columns.read("/hosts/throttled_end", throttled, n);
    columns.read("/hosts/clock_uncertainty_s", uncertainty_s, n);
    const auto names = columns.texts("/hosts/hostname", n);
    const auto boards = columns.texts("/hosts/board", n);
    std::vector<std::uint32_t> n_cores;
    columns.read("/hosts/n_cores", n_cores, n);
    std::vector<double> other_cpus(n, missing_number);
    if (columns.file().has("/hosts/other_cpus")) // came later
        columns.read("/hosts/other_cpus", other_cpus, n);
    for (std::size_t i = 0; i < n; ++i) {
        trace.hosts[i] = {names[i],         boards[i],  n_threads[i], throttled[i],
                          uncertainty_s[i], n_cores[i], other_cpus[i]};
    }
}

/// What stands before the steps.
Trace beginning_of(const Columns& columns, const std::string& path) {
    if (columns.root_text("format") != "pillar-trace") {
        throw FormatError(path, "format", std::nullopt,
                          "is not \"pillar-trace\"; no trace of ours");
    }
    if (columns.root_text("format_version") != "1") {
        throw FormatError(path, "format_version", std::nullopt,
                          "is " + printable(columns.root_text("format_version")) +
                              "; this pillar reads version 1");
    }
    Trace trace;
    trace.path = path;
    trace.title = columns.root_text("title");
    trace.created = columns.root_text("created");
    trace.command_line = columns.root_text("command_line");
    trace.is_complete = columns.root_text("trace_complete") == "1";
    trace.config = columns.file().attributes("/config");
    read_hosts(columns, trace);
    return trace;
}

} // namespace

bool Trace::Host::was_disturbed() const {
    return telemetry::disturbs(other_cpus, static_cast<int>(n_cores));
}

std::string config_text(const Trace& trace, std::string_view name) {
    for (const auto& entry : trace.config) {
        if (entry.name == name) return to_text(entry.value);
    }
    return "";
}

Trace read_configuration(const std::string& path) {
    refuse_unfinished(path);
    return beginning_of(Columns(path), path);
}

Trace read_trace(const std::string& path) {
    refuse_unfinished(path);
    const Columns columns(path);
    Trace trace = beginning_of(columns, path);

    const std::size_t n_steps = columns.length("/steps/step");
    columns.read("/steps/step", trace.step, n_steps);
    columns.read("/steps/t_start_s", trace.t_start_s, n_steps);
    columns.read("/steps/duration_s", trace.duration_s, n_steps);
    columns.read("/steps/trace_s", trace.trace_s, n_steps);
    columns.read("/steps/trace_bytes", trace.trace_bytes, n_steps);
    columns.read("/steps/phase", trace.phase, n_steps);
    columns.read("/steps/n_rows", trace.n_rows, n_steps);
    columns.read("/steps/n_logits", trace.n_logits, n_steps);
    if (columns.file().has("/steps/n_attended")) { // came later
        columns.read("/steps/n_attended", trace.n_attended, n_steps);
        columns.read("/steps/n_cached", trace.n_cached, n_steps);
        columns.read("/steps/order_bytes", trace.request_bytes, n_steps);
        columns.read("/steps/answer_bytes", trace.reply_bytes, n_steps);
    }

    const std::size_t n = n_steps * trace.n_ranks();
    columns.read("/ranks/compute_s", trace.compute_s, n);
    columns.read("/ranks/wait_s", trace.wait_s, n);
    columns.read("/ranks/wire_s", trace.wire_s, n);
    columns.read("/ranks/wait_uncertainty_s", trace.wait_uncertainty_s, n);
    columns.read("/ranks/bytes_sent", trace.bytes_sent, n);
    columns.read("/ranks/messages_sent", trace.messages_sent, n);
    return trace;
}

} // namespace pillar::trace
