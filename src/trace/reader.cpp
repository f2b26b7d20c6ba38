// FILE.h5 → columns, with their lengths checked against each other.

#include "pillar/trace/reader.hpp"

#include "version_1.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/storage/reader.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/trace/fields.hpp"
#include "pillar/trace/journal_path.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/core.h>

namespace pillar::trace {

namespace {

void refuse_unfinished(const std::string& path) {
    const auto advice = [](const std::string& journal) {
        return "is of a run that did not end; `pillar report --recover " + shell_word(journal) +
               "` makes a trace of it";
    };
    if (path.ends_with(journal_ending)) throw FormatError(path, "", std::nullopt, advice(path));
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
    void read(const std::string& column, std::vector<T>& values, std::size_t n) const {
        values = file_.column<T>(column);
        expect_length(column, values.size(), n);
    }
    /// The members that the fields name, of rows that are there.
    template <class Row>
    void read(const std::string& group, std::span<const Field<Row>> fields,
              std::vector<Row>& rows) const {
        for (const Field<Row>& field : fields) {
            const std::string column =
                group + "/" +
                std::string(version_ == 1 ? name_in_version_1(field.name) : field.name);
            if (field.may_be_absent && !file_.has(column)) continue;
            std::visit([&](auto member) { read(column, field, member, rows); }, field.member);
        }
    }
    /// Throws FormatError for one that this pillar does not read.
    void expect_format();
    [[nodiscard]] int version() const noexcept { return version_; }
    [[nodiscard]] std::vector<std::string> texts(const char* column, std::size_t n) const {
        auto values = file_.texts(column);
        expect_length(column, values.size(), n);
        return values;
    }
    [[nodiscard]] std::string root_text(const char* name) const {
        const auto value = file_.attribute("/", name);
        if (!value) return "";
        if (const auto* text = std::get_if<std::string>(&*value)) return *text;
        const auto* integer = std::get_if<std::int64_t>(&*value);
        return integer == nullptr ? "" : fmt::format("{}", *integer);
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
    template <class Row, class T>
    void read(const std::string& column, const Field<Row>& field, T Row::*member,
              std::vector<Row>& rows) const {
        std::vector<typename Stored<T>::Type> values;
        read(column, values, rows.size());
        const std::size_t n_words = field.description().meanings.size();
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (n_words > 0 && static_cast<std::size_t>(values[i]) >= n_words)
                throw FormatError(
                    path_, column, std::nullopt,
                    fmt::format("holds {}, which is none of {}", values[i], field.words));
            rows[i].*member = static_cast<T>(values[i]);
        }
    }
    void expect_length(const std::string& column, std::size_t length, std::size_t expected) const {
        if (length == expected) return;
        throw FormatError(path_, column, std::nullopt,
                          fmt::format("has {} elements instead of {}", length, expected));
    }

    std::string path_;
    storage::Reader file_;
    int version_ = 0;
};

void Columns::expect_format() {
    if (root_text("format") != "pillar-trace") {
        throw FormatError(path_, "format", std::nullopt,
                          "is not \"pillar-trace\"; no trace of ours");
    }
    const std::string version = root_text("format_version");
    if (version != "1" && version != "2") {
        throw FormatError(path_, "format_version", std::nullopt,
                          "is " + printable(version) + "; this pillar reads versions 1 and 2");
    }
    version_ = version == "1" ? 1 : 2;
}

/// /config into the trace's; of version 1 also what is now in /hosts.
void read_config(const Columns& columns, Trace& trace, std::vector<RankShare>& shares) {
    std::vector<storage::NamedValue> entries = columns.file().attributes("/config");
    if (columns.version() == 1) take_shares_of_version_1(trace.path, entries, shares);
    for (auto& [name, value] : entries) {
        const std::size_t index = configuration_index(name);
        if (index == configuration_keys.size()) {
            trace.unknown_keys.push_back(name);
        } else if (!trace.config.set_at(index, std::move(value))) {
            throw FormatError(trace.path, "/config " + name, std::nullopt,
                              fmt::format("is no {}", name_of(configuration_keys[index].type)));
        }
    }
}

void read_hosts(const Columns& columns, Trace& trace) {
    const std::size_t n = columns.length("/hosts/rank");
    trace.hosts.resize(n);
    std::vector<RankShare> shares(n);
    read_config(columns, trace, shares);
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
    if (columns.version() != 1) columns.read("/hosts", share_fields(), shares);
    for (std::size_t i = 0; i < n; ++i) {
        trace.hosts[i] = {names[i],         boards[i],  n_threads[i],  throttled[i],
                          uncertainty_s[i], n_cores[i], other_cpus[i], shares[i]};
    }
}

/// What stands before the steps.
Trace beginning_of(Columns& columns, const std::string& path) {
    columns.expect_format();
    Trace trace;
    trace.path = path;
    trace.title = columns.root_text("title");
    trace.created = columns.root_text("created");
    trace.command_line = columns.root_text("command_line");
    trace.is_complete = columns.root_text("trace_complete") == "1";
    read_hosts(columns, trace);
    return trace;
}

} // namespace

bool Trace::Host::was_disturbed() const {
    return telemetry::disturbs(other_cpus, static_cast<int>(n_cores));
}

std::vector<double> Trace::split_shares() const {
    std::vector<double> shares;
    for (const Host& host : hosts) shares.push_back(host.share.split_share);
    if (std::ranges::all_of(shares, [](double share) { return std::isnan(share); })) return {};
    return shares;
}

Trace read_configuration(const std::string& path) {
    refuse_unfinished(path);
    Columns columns(path);
    return beginning_of(columns, path);
}

Trace read_trace(const std::string& path) {
    refuse_unfinished(path);
    Columns columns(path);
    Trace trace = beginning_of(columns, path);
    trace.steps.resize(columns.length("/steps/step"));
    columns.read("/steps", step_fields(), trace.steps);
    trace.ranks.resize(trace.n_steps() * trace.n_ranks());
    columns.read("/ranks", rank_fields(), trace.ranks);
    trace.details = read_details(path, trace.n_ranks());
    if (columns.file().has("/layers/step")) {
        trace.layers.resize(columns.length("/layers/step"));
        columns.read("/layers", layer_fields(), trace.layers);
    }
    if (columns.file().has("/telemetry/t_s")) {
        trace.telemetry.resize(columns.length("/telemetry/t_s"));
        columns.read("/telemetry", telemetry_fields(), trace.telemetry);
    }
    return trace;
}

} // namespace pillar::trace
