#pragma once
// What a forward pass takes of this rank, told without loading or allocating anything.

#include "pillar/forward/row.hpp"
#include "pillar/model/weights.hpp"

#include <cstdint>

namespace pillar::forward {

/// Bytes this rank needs, before anything is allocated.
struct MemoryNeed {
    std::uint64_t weights = 0; ///< of the model, once for all its workspaces
    std::uint64_t kv_cache = 0;
    std::uint64_t buffers = 0;
    [[nodiscard]] std::uint64_t total() const noexcept { return weights + kv_cache + buffers; }
};
MemoryNeed memory_need(const gguf::File& file, const model::Hyperparameters& h,
                       const partition::Share& share, const kernels::Family& family,
                       const TransformerOptions& options, int n_threads);

/// What steps ask of this rank's memory and multipliers: the least that any way of computing them
/// must read and multiply. Layers' matrices serve all rows of a step alike, but those of experts
/// only the rows that chose them; the output matrix, the rows that want logits.
struct StepCost {
    /// Of all layers' matrices that every row goes through, as they lie in the file.
    std::uint64_t layer_bytes = 0;
    std::uint64_t heads_bytes = 0; ///< of these, query, key, value and output projection
    std::uint64_t output_bytes = 0;
    std::uint64_t layer_macs = 0; ///< int8 multiply-accumulates a row, its experts' among them
    std::uint64_t output_macs = 0;
    std::uint64_t kv_bytes = 0;       ///< of one position's keys and values in all layers
    std::uint64_t expert_bytes = 0;   ///< of one expert in all layers; every one has as much
    std::uint64_t n_experts = 0;      ///< a layer
    std::uint64_t n_experts_used = 0; ///< that a row goes through

    /// Of all layers' matrices that a step of so many rows reads: of experts as many as so many
    /// rows choose in the mean, when each is as likely as another.
    [[nodiscard]] double layer_bytes_of(std::size_t n_rows) const noexcept;
};

/// What one layer's attention takes of a step.
struct SeenPositions {
    std::uint64_t read = 0;     ///< positions whose keys and values are read
    std::uint64_t attended = 0; ///< pairs of a row and a position that it sees
};
/// For rows [first, first + n_rows) of one sequence in a layer of this window (0: none).
SeenPositions seen_positions(std::uint64_t first, std::uint64_t n_rows,
                             std::uint64_t window) noexcept;
/// The sum over all layers.
SeenPositions seen_in_layers(const model::Hyperparameters& h, std::uint64_t first,
                             std::uint64_t n_rows) noexcept;

StepCost step_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheTypes cache_types);

} // namespace pillar::forward
