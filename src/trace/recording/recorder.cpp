// One recorder a rank. The mutex is for the thread that handles SIGTERM; it is never held while
// ranks communicate.

#include "pillar/trace/recorder.hpp"

#include "host.hpp"
#include "ring.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/trace/convert.hpp"
#include "pillar/trace/journal.hpp"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <mutex>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace pillar::trace {

struct Recorder::State {
    State(comm::Communicator& c, const TraceOptions& o)
        : comm(&c), options(o), ring(o.collectives_per_step) {
        tokens.reserve(n_tokens_capacity);
    }

    /// Keep a record, or end the trace with one warning. Rank 0 only.
    template <class Payload>
    void append(RecordType type, const Payload& payload, std::uint32_t n_to_come = 0) {
        if (is_closed || !journal || journal->append(type, payload, n_to_come) || has_warned)
            return;
        has_warned = true;
        log::warning("{}: {}; the trace ends here, the run goes on", printable(journal->path()),
                     std::generic_category().message(journal->failure()));
    }
    void append_tokens(std::uint32_t n_to_come = 0) {
        if (tokens.empty()) return;
        append(RecordType::tokens, std::as_bytes(std::span(tokens)), n_to_come);
        tokens.clear();
    }
    /// What ranks have sent at a gather, with the tokens so far. `clocks`: an encoded sample, or
    /// empty.
    void append_gathered(std::span<const std::string> ranks, const std::string& clocks);
    void charge(double seconds) {
        if (!ring.charge(seconds)) previous.seconds += seconds;
    }
    void open_journal();
    void write_header(double created_s, double origin_s);
    void gather_hosts(HostList::Moment moment);
    void gather_steps();
    void gather_other_work();
    bool write_file();

    static constexpr std::size_t n_tokens_capacity = 4096;

    comm::Communicator* comm;
    TraceOptions options;
    telemetry::CpuMeter cpu_meter{comm::own_cpus().machine};
    std::mutex mutex; ///< over everything below
    Ring ring;
    Cost previous;                          ///< of what was traced since the last gather
    std::unique_ptr<JournalWriter> journal; ///< rank 0 only
    std::vector<TokenEntry> tokens;         ///< rank 0 only
    bool is_closed = false;                 ///< nothing is written any more
    bool has_warned = false;
};

namespace {

/// Seconds and bytes since its construction.
class Meter {
  public:
    explicit Meter(const comm::Communicator& comm)
        : comm_(&comm), bytes_before_(comm.other_traffic().bytes_sent) {}
    [[nodiscard]] Cost cost(std::uint64_t after_step) const {
        return {after_step, watch_.elapsed_s(), comm_->other_traffic().bytes_sent - bytes_before_};
    }

  private:
    const comm::Communicator* comm_;
    std::uint64_t bytes_before_;
    Stopwatch watch_;
};

} // namespace

void check_output(const std::string& path, bool force, std::span<const std::string> inputs) {
    expect_output(path, force, inputs, {".part", ".journal"});
    const std::string journal = journal_path_of(path);
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
    journal = std::make_unique<JournalWriter>(journal_path_of(options.path), options.force);
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

/// Collective.
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

/// Collective.
void Recorder::State::gather_other_work() {
    const auto all = comm->gather_to_root(telemetry::to_text(cpu_meter.use()));
    if (!comm->is_root()) return;
    const std::vector<telemetry::CpuUse> uses = telemetry::cpu_uses_from(all);
    const std::scoped_lock lock(mutex);
    append(RecordType::other_work, encode(OtherWork{telemetry::other_cpus(uses)}));
}

/// Collective. Clocks, then everybody's steps.
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

Recorder::Recorder(comm::Communicator& comm, const TraceOptions& options) {
    comm::agree(comm, [&] {
        state_ = std::make_unique<State>(comm, options);
        state_->open_journal();
    });
    State& s = *state_;
    const Meter meter(comm);
    if (comm.is_root()) s.write_header(wall_clock_s(), monotonic_s());
    s.gather_hosts(HostList::Moment::start);
    const auto offsets = comm.clock_offsets();
    if (comm.is_root()) s.append(RecordType::clocks, encode(ClockSample{monotonic_s(), offsets}));
    s.previous = meter.cost(before_first_step);
}

Recorder::~Recorder() {
    flush_now();
}

void Recorder::step(const engine::StepRecord& record) {
    const std::scoped_lock lock(state_->mutex);
    state_->ring.push(record);
}

bool Recorder::wants_gather() const {
    State& s = *state_;
    const std::scoped_lock lock(s.mutex);
    if (s.is_closed || s.has_warned) return false;
    return s.ring.n_steps() >= gather_every_steps || s.ring.age_s() >= gather_every_s ||
           s.ring.is_nearly_full();
}

void Recorder::gather() {
    State& s = *state_;
    const Meter meter(*s.comm);
    s.gather_steps();
    const std::scoped_lock lock(s.mutex);
    s.previous = meter.cost(s.ring.last_step());
}

void Recorder::token(const engine::TokenRecord& record) {
    State& s = *state_;
    const std::scoped_lock lock(s.mutex);
    s.tokens.push_back({.step = record.step,
                        .latency_s = record.latency_s,
                        .sequence = record.sequence,
                        .position = record.position,
                        .id = record.id,
                        .logprob = record.logprob,
                        .phase = static_cast<std::uint32_t>(record.phase)});
    if (s.tokens.size() < State::n_tokens_capacity) return;
    const Stopwatch watch;
    s.append_tokens();
    s.charge(watch.elapsed_s());
}

void Recorder::sequence(const engine::SequenceRecord& record) {
    State& s = *state_;
    const std::scoped_lock lock(s.mutex);
    const Stopwatch watch;
    s.append(RecordType::sequence, encode(record));
    s.charge(watch.elapsed_s());
}

bool Recorder::finish(ExitCode exit_code) {
    State& s = *state_;
    const Meter meter(*s.comm);
    s.gather_steps();
    s.gather_hosts(HostList::Moment::end);
    s.gather_other_work();
    std::string own;
    {
        const std::scoped_lock lock(s.mutex);
        s.previous = meter.cost(s.ring.last_step());
        own = s.ring.encode(static_cast<std::uint32_t>(s.comm->rank()), s.previous);
    }
    // Carries the cost of the exchanges above; its own remains uncounted.
    const auto all = s.comm->gather_to_root(own);
    const std::scoped_lock lock(s.mutex);
    if (!s.comm->is_root() || s.is_closed) {
        s.is_closed = true;
        return false;
    }
    s.append_gathered(all, {});
    const End end{static_cast<std::int32_t>(exit_code), 0, monotonic_s()};
    s.append(RecordType::end, std::as_bytes(std::span(&end, 1)));
    s.is_closed = true;
    return s.write_file();
}

/// Rank 0 only.
bool Recorder::State::write_file() {
    if (!journal) return false; // /dev/null
    const std::string path = journal->path();
    journal.reset();
    try {
        convert(path, options.path, [&] { comm->attend(); }); // the others wait at the end
    } catch (const std::exception& error) {
        log::warning("{}; the trace stays in its journal: `pillar report --recover {}` makes a "
                     "file of it",
                     error.what(), shell_word(path));
        return false;
    }
    ::unlink(path.c_str());
    return true;
}

bool Recorder::flush_now() noexcept {
    State& s = *state_;
    if (!s.comm->is_root()) return true;
    std::unique_lock lock(s.mutex, std::defer_lock);
    for (int attempt = 0; attempt < 100 && !lock.try_lock(); ++attempt) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (!lock.owns_lock()) return false;
    if (s.is_closed) return true;
    try {
        const std::string own = s.ring.encode(0, s.previous);
        s.append_gathered(std::span(&own, 1), {});
    } catch (...) {
        return false; // no memory: what was written before stays
    }
    s.is_closed = true;
    return true;
}

} // namespace pillar::trace
