#pragma once
// First pass over a journal: everything that must be known before the first row of a table can be
// written.

#include "journal/journal.hpp"

#include <map>
#include <optional>
#include <vector>

namespace pillar::recording {

/// What tracing cost between two steps, all ranks together.
struct TraceCost {
    double seconds = 0;      ///< on rank 0
    std::uint64_t bytes = 0; ///< sent by all ranks
};

struct JournalScan {
    Header header;
    std::vector<Host> hosts;        ///< at the start, one a rank
    std::vector<Host> hosts_end;    ///< at the end
    std::vector<double> other_cpus; ///< one a rank; NaN: not told
    std::vector<ClockSample> clocks;
    std::map<std::uint64_t, TraceCost> costs; ///< after a step
    std::optional<End> end;
    std::uint64_t n_steps_lost = 0;
    std::uint64_t n_steps_cut = 0; ///< of the last gather: not in the journal
    std::uint64_t n_bytes_damaged = 0;
    bool every_rank = true;             ///< all blocks hold all ranks
    std::vector<std::size_t> n_threads; ///< the most of a step, one a rank

    /// The whole run is in the journal.
    [[nodiscard]] bool is_complete() const noexcept {
        return end.has_value() && n_steps_lost == 0 && n_steps_cut == 0 && n_bytes_damaged == 0 &&
               every_rank;
    }
};

/// Reads from the beginning to the last whole record. Throws FormatError when the header is
/// missing.
[[nodiscard]] JournalScan scan_journal(JournalReader& journal, const std::string& path);

} // namespace pillar::recording
