#pragma once
// Joules that a meter's log says of a run's steps.

#include "pillar/metering/meter_log.hpp"
#include "pillar/trace/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pillar::metering {

/// Of the steps of one phase that the log covers.
struct PhaseEnergy {
    double joules = 0;
    double seconds = 0;
    std::uint64_t n_tokens = 0;
    std::size_t n_steps = 0;
    std::size_t n_steps_in_gaps = 0; ///< left out
};

/// A meter's column; all of them together.
struct NodeEnergy {
    std::string name;
    PhaseEnergy prompt, decode;
};

struct Energy {
    NodeEnergy all{.name = "all", .prompt = {}, .decode = {}};
    std::vector<NodeEnergy> nodes; ///< where the log has several columns

    std::vector<MeterColumn> samples; ///< of the run's time; seconds since the trace began
    std::vector<std::string> remarks; ///< sentences on gaps, and on what was assumed of the log

    /// Another run's, by the columns' names; samples and remarks are left alone.
    void add(const Energy& other);
};

/// Of one trace beside a log; a step is until the next one of its phase, sampling included. Throws
/// FormatError where the log covers no step. Steps in gaps do not count, nor does the first decode
/// step where `drop_warm_up`.
[[nodiscard]] Energy energy_of(const trace::Trace& trace, const MeterLog& log, bool drop_warm_up);

} // namespace pillar::metering
