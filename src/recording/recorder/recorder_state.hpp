#pragma once
// What a recorder holds, and the exchanges that it is made of.

#include "journal/journal.hpp"
#include "ring.hpp"
#include "sensor_thread.hpp"

#include "pillar/comm/binding.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/recording/recorder.hpp"
#include "pillar/telemetry/other_work.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace pillar::recording {

struct Recorder::State {
    State(comm::Communicator& c, const TraceOptions& o)
        : comm(&c), options(o), ring(o.collectives_per_step, std::max(o.n_threads, 1u)) {
        tokens.reserve(n_tokens_capacity);
    }

    /// Rank 0 only. Keep a record, or end the trace with one warning.
    template <class Payload>
    void append(RecordType type, const Payload& payload, std::uint32_t n_to_come = 0) {
        if (is_closed || !journal || journal->append(type, payload, n_to_come) || has_warned)
            return;
        has_warned = true;
        log::warning("{}: {}; the trace ends here, the run goes on", printable(journal->path()),
                     std::generic_category().message(journal->failure()));
    }
    /// Rank 0 only.
    void append_tokens(std::uint32_t n_to_come = 0) {
        if (tokens.empty()) return;
        append(RecordType::tokens, std::as_bytes(std::span(tokens)), n_to_come);
        tokens.clear();
    }
    /// Rank 0 only. What ranks have sent at a gather, with the tokens so far. `clocks`: an encoded
    /// sample, or empty.
    void append_gathered(std::span<const std::string> ranks, const std::string& clocks);
    /// Tracing took this long after the last step.
    void charge(double seconds) {
        if (!ring.charge(seconds)) previous.seconds += seconds;
    }
    /// Rank 0 creates it; the others do nothing.
    void open_journal();
    /// Rank 0 only.
    void write_header(double created_s, double origin_s);
    /// Collective.
    void gather_hosts(HostList::Moment moment);
    /// Collective. Clocks, then everybody's steps.
    void gather_steps();
    /// Collective.
    void gather_other_work();
    /// Rank 0 only. False when there is none, with a warning that says why.
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
    /// Last, so that it ends before what it writes to does.
    std::optional<SensorThread> sensors;
};

} // namespace pillar::recording
