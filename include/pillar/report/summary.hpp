#pragma once
// What one configuration (a model on so many ranks and threads) measured, from one or several
// traces of it.
//
// The time of a step is from its begin to the begin of the next step of the same phase, less what
// tracing took in between: sampling and printing on rank 0 count. The last step of a row of steps
// counts with its own duration. The first decode step of each trace is warm-up and dropped. A draft
// model's steps are a part of the step that checks what they propose.

#include "pillar/metering/energy.hpp"
#include "pillar/perf/scaling.hpp"
#include "pillar/report/waiting.hpp"
#include "pillar/trace/reader.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pillar::report {

/// Sums over the decode steps that count, of one rank.
struct RankTotals {
    std::string host;
    double compute_s = 0;
    double wait_s = 0;
    double wire_s = 0;
    double wait_uncertainty_s = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t messages_sent = 0;

    [[nodiscard]] double step_s() const noexcept { return compute_s + wait_s + wire_s; }
    /// Waiting cannot be told from the clocks' uncertainty.
    [[nodiscard]] bool wait_is_below_uncertainty() const noexcept {
        return wait_s < wait_uncertainty_s;
    }
};

/// A rank's clock beside rank 0's, in one trace.
struct ClockReading {
    std::string path;
    std::size_t rank = 0;
    std::string host;
    double offset_s = 0; ///< to add to its clock to get rank 0's, at the start
    double uncertainty_s = 0;
    double drift_ppm = 0; ///< above 0: it runs fast
    double drift_uncertainty_ppm = 0;
    /// Of the offset or of the drift more is there than the measurement may be off.
    [[nodiscard]] bool is_resolved() const noexcept;
};

/// Where one step went, on every rank.
struct ExampleStep {
    std::string path;
    std::uint64_t step = 0;
    double t_start_s = 0;
    double duration_s = 0;
    std::vector<trace::RankTimes> ranks;
    std::vector<trace::LayerRow> layers; ///< by rank and layer; none: not recorded
};

/// What all ranks together computed, over steps: the means of a rank are its quotients.
struct Work {
    double bytes = 0; ///< of weights and cache that were read
    double macs = 0;  ///< multiplications with addition
    double compute_s = 0;
};

/// What was sampled while a run went on; seconds since the trace began.
struct Series {
    enum class Kind { core_hz, temperature, watts };
    Kind kind{};
    std::string name; ///< of the rank and its node, or of the meter's column
    std::vector<double> time_s;
    std::vector<double> values; ///< GHz, °C, W
};

/// One generated token.
struct TokenLatency {
    std::int32_t position = 0;
    double latency_s = 0;
};

/// What is summed over steps and traces.
struct Totals {
    std::vector<std::string> paths;
    std::vector<double> seconds_per_token;        ///< one sample a decode step
    std::vector<double> run_medians;              ///< of these, one a trace
    std::vector<double> seconds_per_prompt_token; ///< one sample a step of a prompt
    std::vector<double> prompt_run_medians;
    std::uint64_t n_prompt_tokens = 0;
    std::uint64_t n_decode_tokens = 0;
    double prompt_s = 0;
    double decode_s = 0;
    double decode_duration_s = 0; ///< inside the steps
    std::size_t n_warm_up_steps = 0;
    // Of the steps that count, where something was proposed (--draft).
    std::uint64_t n_proposed = 0;
    std::uint64_t n_accepted = 0;
    std::uint64_t n_drafted_rows = 0; ///< a sequence of a step each
    std::vector<RankTotals> ranks;
    std::vector<RankTotals> prompt_ranks; ///< over the steps of prompts
    double cached_positions = 0;          ///< read by a decode step, mean: how deep it was
    std::vector<std::uint64_t> n_slowest; ///< (rank): decode steps in which it computed longest
    WaitingMatrix waiting;                ///< of decode steps
    std::vector<trace::CollectiveRow> collectives; ///< one a phase, kind and size
    std::vector<ClockReading> clocks;              ///< of ranks above 0
    std::optional<ExampleStep> example; ///< of the first trace: the decode step in the middle
    std::vector<TokenLatency> tokens;
    Work decode_work, prompt_work; ///< nothing where the trace has not recorded what steps cost
    std::vector<Series> series;    ///< of the first trace
    std::optional<metering::Energy> energy; ///< where a meter's log is there
    std::string emulated_network;     ///< "α,G" as given to --emulate-network; empty: a real one
    std::vector<std::string> remarks; ///< sentences: incomplete traces, throttled boards, emulation
};

/// With what a meter's log says of it, where one is given.
[[nodiscard]] Totals totals_of(const trace::Trace& trace,
                               const metering::MeterLog* meter = nullptr);
/// Another run of the same configuration.
void add(Totals& totals, const Totals& other);

/// Fractions of the steps' time, all ranks together.
struct Shares {
    double compute = 0;
    double wait = 0;
    double wire = 0;
    double wait_uncertainty = 0;
};
[[nodiscard]] Shares shares_of(const std::vector<RankTotals>& ranks);
/// The rank that computes longest: the one that others wait for.
[[nodiscard]] std::size_t slowest_rank(const std::vector<RankTotals>& ranks);

/// Nothing where there were no such steps.
[[nodiscard]] std::optional<perf::MedianInterval> seconds_per_token(const Totals& totals);
[[nodiscard]] std::optional<perf::MedianInterval> seconds_per_prompt_token(const Totals& totals);
[[nodiscard]] std::optional<double> prompt_tokens_per_s(const Totals& totals);
/// All tokens by all time: slow steps weigh as long as they took.
[[nodiscard]] std::optional<double> decode_tokens_per_s(const Totals& totals);
/// The inverse of the median of seconds_per_token(): what tables call tok/s.
[[nodiscard]] std::optional<double> median_tokens_per_s(const Totals& totals);
/// What a sequence gets of a step, in the mean; nothing where nothing was proposed.
[[nodiscard]] std::optional<double> tokens_per_step(const Totals& totals);
/// Share of decode time between the steps: sampling, printing.
[[nodiscard]] std::optional<double> outside_share(const Totals& totals);
/// Payload in 10^6 bytes that a rank sends for a generated token, mean over ranks.
[[nodiscard]] std::optional<double> megabytes_per_token(const Totals& totals);

} // namespace pillar::report
