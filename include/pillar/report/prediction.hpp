#pragma once
// The steps of a trace as they were measured, beside what perf's cost model says of the very same
// steps on a machine profile: their rows, positions, messages and all-reduces are those of the run.
// Where the two part, either the machine is not as its profile says, or the model leaves something
// out.
//
// Measured: the time of a step is rank 0's, from its request to the last reply. Computing is that
// of the rank that computes longest over all steps; messages are the rest, waiting included.
// Predicted: matrices, attention and barriers are computing; latency, bytes and adding are
// messages.

#include "pillar/perf/step_model.hpp"
#include "pillar/trace/reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pillar::report {

/// Sums over the steps of one phase of which every rank's record is there.
struct Comparison {
    std::size_t n_steps = 0;
    double step_s = 0;             ///< measured
    std::vector<double> compute_s; ///< of each rank
    Traffic counted;               ///< sent by all ranks
    perf::StepTime predicted;
    Traffic predicted_traffic;

    [[nodiscard]] double computing_s() const noexcept; ///< of the rank that computes longest
    [[nodiscard]] double messages_s() const noexcept { return step_s - computing_s(); }
    [[nodiscard]] double predicted_computing_s() const noexcept;
    [[nodiscard]] double predicted_messages_s() const noexcept;
    [[nodiscard]] bool counts_agree() const noexcept;
};

/// Of one configuration, from one or several traces.
struct Prediction {
    std::string profile; ///< its name
    Comparison decode;   ///< without each trace's first step, which is warm-up
    Comparison prompt;
    std::vector<double> seconds_per_token; ///< predicted, one a decode step
};
/// Another run of the same configuration.
void add(Prediction& prediction, const Prediction& other);

/// Nothing for a trace that has not recorded what steps cost. `remarks` gets a sentence for that,
/// and for everything about the run that the profile does not describe.
[[nodiscard]] std::optional<Prediction> predict(const trace::Trace& trace,
                                                const perf::MachineProfile& profile,
                                                std::vector<std::string>& remarks);

} // namespace pillar::report
