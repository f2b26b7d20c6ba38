// One recorder a rank. The mutex is for the thread that handles SIGTERM; it is never held while
// ranks communicate.

#include "pillar/recording/recorder.hpp"

#include "recorder_state.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/timing.hpp"

#include <chrono>
#include <thread>

namespace pillar::recording {

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
    s.sensors.emplace(sensors_every_s, [&s](const SensorSample& sample) {
        const std::scoped_lock lock(s.mutex);
        s.ring.push(sample);
    });
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
    s.ring.add_sampling(record.sample_s);
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
    s.sensors->sample(); // the end's
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

} // namespace pillar::recording
