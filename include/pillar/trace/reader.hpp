#pragma once
// A trace read back: the columns that tables and plots are made of.

#include "pillar/storage/types.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::trace {

struct Trace {
    std::string path;
    std::string title;
    std::string created; ///< ISO 8601, UTC
    std::string command_line;
    bool is_complete = false;
    std::vector<storage::NamedValue> config;

    struct Host {
        std::string hostname;
        std::string board;
        std::uint32_t n_threads = 0;
        std::uint32_t throttled = 0; ///< bits at the end
        double clock_uncertainty_s = 0;
        std::uint32_t n_cores = 0;
        double other_cpus = std::numeric_limits<double>::quiet_NaN(); ///< NaN: not told
        /// Other programs kept so many busy that the times tell of them too.
        [[nodiscard]] bool was_disturbed() const;
    };
    std::vector<Host> hosts; ///< (P)

    // /steps, (S)
    std::vector<std::uint64_t> step;
    std::vector<double> t_start_s, duration_s, trace_s;
    std::vector<std::uint64_t> trace_bytes;
    std::vector<std::uint8_t> phase;
    static constexpr std::uint8_t prefill = 0, decode = 1;
    std::vector<std::uint32_t> n_rows, n_logits;
    // These are empty in traces of pillars that did not record them.
    std::vector<std::uint64_t> n_attended, n_cached;
    std::vector<std::uint32_t> request_bytes, reply_bytes;

    // /ranks, (S, P); NaN: the rank's record is missing
    std::vector<double> compute_s, wait_s, wire_s, wait_uncertainty_s;
    std::vector<std::uint64_t> bytes_sent, messages_sent;

    [[nodiscard]] std::size_t n_steps() const noexcept { return step.size(); }
    [[nodiscard]] std::size_t n_ranks() const noexcept { return hosts.size(); }
};

/// The text of a config entry, numbers printed; empty when there is none of that name.
[[nodiscard]] std::string config_text(const Trace& trace, std::string_view name);

/// Throws IoError or FormatError; a journal, or a file whose journal alone exists, is answered with
/// what to do.
[[nodiscard]] Trace read_trace(const std::string& path);

/// /config and /hosts alone: what a run with the same options needs. Throws as read_trace.
[[nodiscard]] Trace read_configuration(const std::string& path);

} // namespace pillar::trace
