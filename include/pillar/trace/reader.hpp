#pragma once
// A trace read back: the columns that tables and plots are made of.

#include "pillar/trace/configuration.hpp"
#include "pillar/trace/details.hpp"
#include "pillar/trace/rows.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pillar::trace {

struct Trace {
    std::string path;
    std::string title;
    std::string created; ///< ISO 8601, UTC
    std::string command_line;
    bool is_complete = false;
    Configuration config;
    std::vector<std::string> unknown_keys; ///< of /config: a newer pillar's

    struct Host {
        std::string hostname;
        std::string board;
        std::uint32_t n_threads = 0;
        std::uint32_t throttled = 0; ///< bits at the end
        double clock_uncertainty_s = 0;
        std::uint32_t n_cores = 0;
        double other_cpus = missing_number; ///< NaN: not told
        RankShare share{};
        /// Other programs kept so many busy that the times tell of them too.
        [[nodiscard]] bool was_disturbed() const;
    };
    std::vector<Host> hosts;    ///< (P)
    std::vector<StepRow> steps; ///< (S); counts that an older pillar did not record are 0
    std::vector<RankRow> ranks; ///< (S, P); NaN: the rank's record is missing
    Details details;
    // Empty in traces of older pillars.
    std::vector<LayerRow> layers; ///< by step, rank, layer
    std::vector<TelemetryRow> telemetry;

    [[nodiscard]] std::size_t n_steps() const noexcept { return steps.size(); }
    [[nodiscard]] std::size_t n_ranks() const noexcept { return hosts.size(); }
    [[nodiscard]] const RankRow& at(std::size_t step, std::size_t rank) const {
        return ranks[step * n_ranks() + rank];
    }
    /// One number a rank, of which only ratios count; none: the split was even.
    [[nodiscard]] std::vector<double> split_shares() const;
};

/// Throws IoError or FormatError; a journal, or a file whose journal alone exists, is answered with
/// what to do.
[[nodiscard]] Trace read_trace(const std::string& path);

/// Without steps and ranks: what a run with the same options needs. Throws as read_trace.
[[nodiscard]] Trace read_configuration(const std::string& path);

} // namespace pillar::trace
