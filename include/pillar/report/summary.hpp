#pragma once
// What one configuration (a model on so many ranks and threads) measured, from one or several
// traces of it.
//
// The time of a step is from its begin to the begin of the next step of the same phase, less what
// tracing took in between: sampling and printing on rank 0 count. The last step of a row of steps
// counts with its own duration. The first decode step of each trace is warm-up and dropped. A draft
// model's steps are a part of the step that checks what they propose.

#include "pillar/perf/scaling.hpp"
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

/// What is summed over steps and traces.
struct Totals {
    std::vector<std::string> paths;
    std::vector<double> seconds_per_token; ///< one sample a decode step
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
    std::string emulated_network;     ///< "α,G" as given to --emulate-network; empty: a real one
    std::vector<std::string> remarks; ///< sentences: incomplete traces, throttled boards, emulation
};

[[nodiscard]] Totals totals_of(const trace::Trace& trace);
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
