#pragma once
// How long a step takes: bytes over bandwidth, multiplications over rates, and the messages. Pure
// functions of a profile and of counts that the run itself reports. Matrices are limited by memory
// or by the units that multiply, whichever is slower (formats with grids apart from the others, for
// they have a rate of their own); attention likewise by reading the KV cache or by its f32
// arithmetic. A step in two halves computes one while the other's sums are under way, which
// hides the share of their time that the profile says; nothing overlaps otherwise.

#include "pillar/comm/algorithms.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/perf/cluster.hpp"
#include "pillar/perf/machine_profile.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::perf {

/// One rank's share of one step.
struct RankWork {
    double matrix_bytes = 0;   ///< weights read, once
    double matrix_macs = 0;    ///< int8 multiplications of all rows
    double grid_bytes = 0;     ///< of matrix_bytes, those in formats with grids
    double grid_macs = 0;      ///< of matrix_macs likewise
    double float_macs = 0;     ///< multiplications with f32, f16 and bf16 weights
    double kv_bytes = 0;       ///< keys and values read
    double attention_macs = 0; ///< f32 multiplications
    double heads_share = 0;    ///< of the matrices: query, key, value and output projection
};

/// One step on all ranks.
struct StepWork {
    std::vector<RankWork> ranks;
    std::size_t n_barriers = 0;
    std::size_t n_allreduces = 0; ///< of the whole step, or of each half
    std::size_t allreduce_floats = 0;
    /// Exact all-reduces of squares_a_row floats a row: of joint norms. Theirs are latencies alone,
    /// and nothing hides them.
    std::size_t n_exact_allreduces = 0;
    std::size_t second_floats = 0; ///< of the second half's; 0: the step goes as a whole
    std::size_t n_rows = 0;
    std::size_t n_second = 0;      ///< of these in the second half
    std::size_t request_bytes = 0; ///< rank 0's broadcast
    std::size_t reply_bytes = 0;   ///< each rank's gathered message
    comm::AllreduceChoice allreduce;
    comm::Wire wire = comm::Wire::f32;
};

/// What a rank's matrices of one kind of format come to.
struct FormatPart {
    double layer_share = 0;  ///< of the bytes of all layers
    double output_share = 0; ///< of the output matrix's
    double layer_macs = 0;   ///< a row, its experts' among them
    double output_macs = 0;
};

/// One rank of a model cut for so many ranks. What traces record leaves the parts empty.
struct RankCost {
    forward::StepCost cost;
    std::size_t n_heads = 0; ///< own query heads
    FormatPart grids{};      ///< formats with grids
    FormatPart floats{};     ///< f32, f16, bf16: their multiplications are not in `cost`
};
RankCost rank_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheTypes cache_types);

/// The rows of a step, as far as its time depends on them.
struct StepRows {
    std::size_t n_rows = 0;
    std::size_t n_logits = 0;     ///< rows that want logits; 0: the output matrix is not read
    std::uint64_t n_attended = 0; ///< pairs of a row and a position that it sees, its own included
    std::uint64_t n_cached = 0;   ///< positions whose keys and values are read, of all sequences
};
/// Positions [first, first + n_rows) of one sequence; logits of the last row, or of none.
StepRows rows_of_one(std::size_t first, std::size_t n_rows, bool wants_logits) noexcept;

/// Messages and all-reduces are left to the caller. Of `h`: n_layers, dim, head_dim, and of its
/// layers those with windows or joint norms.
StepWork step_work(const model::Hyperparameters& h, std::span<const RankCost> ranks,
                   const StepRows& rows);

struct StepTime {
    double matrices_s = 0;
    double attention_s = 0;
    double barriers_s = 0;
    double latency_s = 0;          ///< of messages: α, o and jitter, where nothing is computed
    double bandwidth_s = 0;        ///< of messages: their bytes, likewise
    double reduction_s = 0;        ///< encoding, decoding and adding what they bring
    bool arithmetic_bound = false; ///< the integer units are what the matrices wait for
    [[nodiscard]] double total() const noexcept {
        return matrices_s + attention_s + barriers_s + latency_s + bandwidth_s + reduction_s;
    }
    StepTime& operator+=(const StepTime& other) noexcept;
};

/// All ranks wait for the one that computes longest.
StepTime step_time(const MachineProfile& profile, const StepWork& work);
/// The same where a rank's node is of a kind of its own; messages go at the slowest network's
/// rates.
StepTime step_time(const Cluster& cluster, const StepWork& work);

/// What a rank's computing takes, barriers and messages left out.
StepTime compute_time(const MachineProfile& profile, const RankWork& work) noexcept;

/// What `rank` sends in the step: what its counters will say.
Traffic step_traffic(const StepWork& work, int rank);
/// What all ranks together send.
Traffic step_traffic(const StepWork& work);

} // namespace pillar::perf
