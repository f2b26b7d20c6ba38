// Gathering the ranks' records, keeping them in the journal, and making the file of it.

#include "recorder_state.hpp"

#include "host.hpp"

#include "pillar/comm/exchange.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/recording/convert.hpp"
#include "pillar/trace/journal_path.hpp"

#include <filesystem>
#include <fmt/core.h>
#include <unistd.h>

namespace pillar::recording {

void check_output(const std::string& path, bool force, std::span<const std::string> inputs) {
    expect_output(path, force, inputs, {".part", trace::journal_ending});
    const std::string journal = trace::journal_path_of(path);
    if (!force && std::filesystem::exists(journal)) {
        throw IoError(ExitCode::cannot_create, journal,
                      fmt::format("is left from a run that did not end; `pillar report --recover "
                                  "{}` makes a trace of it, --force replaces it",
                                  shell_word(journal)));
    }
}

void Recorder::State::open_journal() {
    if (!comm->is_root()) return;
    check_output(options.path, options.force);
    if (drops_output(options.path)) return;
    journal = std::make_unique<JournalWriter>(trace::journal_path_of(options.path), options.force);
}

void Recorder::State::write_header(double created_s, double origin_s) {
    Header header;
    header.n_ranks = static_cast<std::uint32_t>(comm->size());
    header.created_s = created_s;
    header.origin_s = origin_s;
    header.title = options.title;
    header.software = "pillar";
    header.software_version = version();
    header.git_revision = revision();
    header.command_line = options.command_line;
    header.config = options.config;
    header.shares = options.shares;
    append(RecordType::header, encode(header));
}

void Recorder::State::gather_hosts(HostList::Moment moment) {
    Host own = read_host(options.n_threads);
    own.hostname = comm->host(comm->rank());
    const auto all = comm->gather_to_root(encode(own));
    if (!comm->is_root()) return;
    HostList list{moment, {}};
    for (const std::string& host : all) {
        list.hosts.push_back(decode_host(std::as_bytes(std::span(host)), {"host of a rank", 0}));
    }
    const std::scoped_lock lock(mutex);
    append(RecordType::hosts, encode(list));
}

void Recorder::State::gather_other_work() {
    const std::vector<telemetry::CpuUse> uses = comm::gather_to_root(*comm, cpu_meter.use());
    if (!comm->is_root()) return;
    const std::scoped_lock lock(mutex);
    append(RecordType::other_work, encode(OtherWork{telemetry::other_cpus(uses)}));
}

void Recorder::State::gather_steps() {
    const auto offsets = comm->clock_offsets();
    const double time_s = monotonic_s();
    std::string own;
    {
        const std::scoped_lock lock(mutex);
        own = ring.encode(static_cast<std::uint32_t>(comm->rank()), previous);
    }
    const auto all = comm->gather_to_root(own);
    const std::scoped_lock lock(mutex);
    ring.clear();
    previous = {ring.last_step(), 0, 0};
    if (!comm->is_root()) return;
    append_gathered(all, encode(ClockSample{time_s, offsets}));
}

void Recorder::State::append_gathered(std::span<const std::string> ranks,
                                      const std::string& clocks) {
    const std::string packed = encode_block(ranks);
    const StepBlock all = decode_steps(std::as_bytes(std::span(packed)), {"steps of the ranks", 0});
    auto n_to_come = static_cast<std::uint32_t>(all.ranks[0].heads.size());
    if (!clocks.empty()) append(RecordType::clocks, clocks, n_to_come);
    append_tokens(n_to_come);
    for (const std::string& block : blocks_by_step(all)) {
        if (n_to_come > 0) --n_to_come; // a gather without steps has a block too
        append(RecordType::steps, block, n_to_come);
    }
}

bool Recorder::State::write_file() {
    if (!journal) return false; // /dev/null
    const std::string path = journal->path();
    journal.reset();
    try {
        convert(path, options.path, [&] { comm->heartbeat(); }); // the others wait at the end
    } catch (const std::exception& error) {
        log::warning("{}; the trace stays in its journal: `pillar report --recover {}` makes a "
                     "file of it",
                     error.what(), shell_word(path));
        return false;
    }
    ::unlink(path.c_str());
    return true;
}

} // namespace pillar::recording
