#pragma once
// What a trace tells beside its steps: clocks, collectives, who waited for whom, tokens.

#include "pillar/trace/rows.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pillar::trace {

/// Of a rank: how far its clock was from rank 0's, and what its core did.
struct ClockRow {
    double offset_s = missing_number; ///< to add to its clock to get rank 0's, at the start
    double offset_end_s = missing_number;
    double core_hz = missing_number; ///< mean over cores at the start
    double core_end_hz = missing_number;
    double temperature_c = missing_number;
    double temperature_end_c = missing_number;
    std::uint32_t throttled = 0; ///< the firmware's bits at the start
};

/// A row of /collectives.
struct CollectiveRow {
    enum class Kind : std::uint8_t { broadcast, allreduce, gather };
    Phase phase{};
    Kind kind{};
    std::uint32_t bytes = 0;
    std::uint64_t count = 0;
    double wait_s = 0; ///< of one: mean over ranks and collectives
    double wire_s = 0;
    double wire_min_s = 0;
};

/// A row of /waiting.
struct WaitingRow {
    Phase phase{};
    std::uint32_t rank = 0;
    std::uint32_t cause = 0;
    std::uint64_t count = 0;
    double wait_s = 0; ///< of all together
    double wait_uncertainty_s = 0;
};

/// A generated token; of /tokens those of the prompt are left out.
struct TokenRow {
    std::uint64_t step = 0;
    std::int32_t sequence = 0;
    std::int32_t position = 0;
    double latency_s = 0; ///< since the sequence's previous token
};

struct Details {
    std::vector<ClockRow> clocks; ///< (P)
    std::vector<CollectiveRow> collectives;
    bool has_waiting = false; ///< an older pillar did not record it
    std::vector<WaitingRow> waiting;
    std::vector<TokenRow> tokens;
};

/// Throws IoError or FormatError. What an older pillar did not record stays empty.
[[nodiscard]] Details read_details(const std::string& path, std::size_t n_ranks);

} // namespace pillar::trace
