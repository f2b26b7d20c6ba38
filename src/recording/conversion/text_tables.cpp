// Provenance, and the tables that tell of machines, tokens and sequences.

#include "tables.hpp"

#include "pillar/core/errors.hpp"

#include <ctime>
#include <fmt/core.h>

namespace pillar::recording {

namespace {

constexpr std::int64_t format_version = 2;

/// "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.250Z"
std::string iso_8601(double seconds_since_epoch) {
    const auto seconds = static_cast<std::time_t>(seconds_since_epoch);
    std::tm utc{};
    if (::gmtime_r(&seconds, &utc) == nullptr) return "";
    const auto thousandths =
        static_cast<int>(1000 * (seconds_since_epoch - static_cast<double>(seconds)));
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       thousandths > 0 ? fmt::format(".{:03}", thousandths) : "");
}

} // namespace

void write_provenance(storage::Group& root, const JournalScan& found) {
    const Header& header = found.header;
    root.attribute("format", "pillar-trace");
    root.attribute("format_version", format_version);
    root.attribute("title", header.title);
    root.attribute("created", iso_8601(header.created_s));
    root.attribute("software", header.software);
    root.attribute("software_version", header.software_version);
    root.attribute("git_revision", header.git_revision);
    root.attribute("command_line", header.command_line);
    root.attribute("trace_complete", found.is_complete() ? 1 : 0);
    root.attribute("n_steps_lost", found.n_steps_lost);
    if (found.end) root.attribute("exit_code", found.end->exit_code);
    trace::Configuration config = header.config;
    config.set<"n_ranks">(header.n_ranks);
    storage::Group group = root.group("config");
    for (std::size_t i = 0; i < trace::configuration_keys.size(); ++i)
        if (const auto& value = config.at(i))
            group.attribute(trace::configuration_keys[i].name, *value);
}

void write_hosts(storage::Group& root, const JournalScan& found, const ClockTable& clocks) {
    std::vector<trace::RankShare> shares = found.header.shares;
    shares.resize(found.hosts.size());
    Table table(root, "hosts");
    auto& rank = table.dimension<std::uint32_t>("rank", {.long_name = "MPI rank"});
    for (std::uint32_t r = 0; r < found.hosts.size(); ++r) rank.append(r);
    const auto texts = [&](const char* name, std::string Host::*field, const char* long_name) {
        auto& column = table.text_column(name, {.long_name = long_name});
        for (const Host& host : found.hosts) column.append(host.*field);
    };
    const auto numbers = [&]<class T>(const std::string& name, T Host::*field, const char* units,
                                      const char* long_name, const std::vector<Host>& hosts) {
        auto& column = table.column<T>(name, {.units = units, .long_name = long_name});
        for (const Host& host : hosts) column.append(host.*field);
    };
    texts("hostname", &Host::hostname, "name of the node");
    texts("board", &Host::board, "model of the board");
    texts("cpu", &Host::cpu, "model of the processor");
    texts("kernel", &Host::kernel, "release of Linux");
    texts("governor", &Host::governor, "of the core clock");
    texts("affinity", &Host::affinity, "cores the rank may use");
    numbers("n_cores", &Host::n_cores, "", "cores of the node", found.hosts);
    numbers("n_threads", &Host::n_threads, "", "threads of the rank", found.hosts);
    numbers("clock_hz", &Host::clock_hz, "Hz", "core clock at the start", found.hosts);
    numbers("clock_end_hz", &Host::clock_hz, "Hz", "core clock at the end", found.hosts_end);
    numbers("temperature_c", &Host::temperature_c, "celsius", "at the start", found.hosts);
    numbers("temperature_end_c", &Host::temperature_c, "celsius", "at the end", found.hosts_end);
    numbers("throttled", &Host::throttled, "", "firmware's bits at the start", found.hosts);
    numbers("throttled_end", &Host::throttled, "", "firmware's bits at the end", found.hosts_end);
    numbers("memory_bytes", &Host::memory_bytes, "byte", "memory of the node", found.hosts);
    numbers("memory_available_bytes", &Host::memory_available_bytes, "byte",
            "available at the start", found.hosts);
    numbers("memory_peak_bytes", &Host::memory_peak_bytes, "byte", "most that the rank has held",
            found.hosts_end);
    auto& other_cpus = table.column<double>(
        "other_cpus", {.long_name = "CPUs of the node that other programs kept busy"});
    for (const double cpus : found.other_cpus) other_cpus.append(cpus);
    FieldColumns<trace::RankShare> share_columns(table, trace::share_fields());
    for (std::size_t r = 0; r < found.hosts.size(); ++r)
        share_columns.append(std::span(&shares[r], 1));
    const auto clock = [&](const char* name,
                           double (ClockTable::*value)(std::size_t) const noexcept,
                           const char* long_name) {
        auto& column = table.column<double>(name, {.units = "s", .long_name = long_name});
        for (std::size_t r = 0; r < found.hosts.size(); ++r) column.append((clocks.*value)(r));
    };
    clock("clock_offset_s", &ClockTable::first_offset_s, "to rank 0's clock at the start");
    clock("clock_offset_end_s", &ClockTable::last_offset_s, "to rank 0's clock at the end");
    clock("clock_uncertainty_s", &ClockTable::max_uncertainty_s, "largest of the run");
    table.finish();
}

TokensTable::TokensTable(storage::Group& root)
    : table_(root, "tokens"),
      token_(table_.dimension<std::uint64_t>("token", {.long_name = "in the order of acceptance"})),
      step_(table_.column<std::uint64_t>("step", {.long_name = "step that computed it"})),
      sequence_(table_.column<std::int32_t>("sequence", {.long_name = "its sequence"})),
      position_(table_.column<std::int32_t>("position", {.long_name = "place in its sequence"})),
      id_(table_.column<std::int32_t>("id", {.long_name = "number in the vocabulary"})),
      phase_(table_.column<std::uint8_t>("phase", {.meanings = {"prefill", "decode"}})),
      latency_s_(table_.column<double>(
          "latency_s", {.units = "s", .long_name = "since the sequence's previous token"})),
      logprob_(table_.column<float>(
          "logprob", {.long_name = "natural log of its probability, before penalties"})) {}

void TokensTable::append(const TokenEntry& token) {
    token_.append<std::uint64_t>(n_++);
    step_.append(token.step);
    sequence_.append(token.sequence);
    position_.append(token.position);
    id_.append(token.id);
    phase_.append(static_cast<std::uint8_t>(token.phase));
    latency_s_.append(token.latency_s);
    logprob_.append(token.logprob);
}

SequencesTable::SequencesTable(storage::Group& root)
    : table_(root, "sequences"),
      sequence_(table_.dimension<std::int32_t>("sequence", {.long_name = "number"})),
      n_prompt_(table_.column<std::uint32_t>("n_prompt", {.long_name = "tokens of the prompt"})),
      n_generated_(table_.column<std::uint32_t>("n_generated", {.long_name = "tokens generated"})),
      ttft_s_(table_.column<double>("ttft_s", {.units = "s", .long_name = "time to first token"})),
      finish_reason_(table_.column<std::uint8_t>(
          "finish_reason", {.long_name = "why it ended",
                            .meanings = {"none", "stop", "length", "context_full", "signal"}})),
      prompt_(table_.text_column("prompt", {.long_name = "text given"})),
      completion_(table_.text_column("completion", {.long_name = "text generated"})) {}

void SequencesTable::append(const engine::SequenceRecord& sequence) {
    sequence_.append(sequence.sequence);
    n_prompt_.append(sequence.n_prompt);
    n_generated_.append(sequence.n_generated);
    ttft_s_.append(sequence.ttft_s);
    finish_reason_.append(static_cast<std::uint8_t>(sequence.finish_reason));
    prompt_.append(sequence.prompt);
    completion_.append(sequence.completion);
    ++n_;
}

} // namespace pillar::recording
