#pragma once
// The forward pass of one rank. One call serves a prefill chunk, a decode step and a batch of
// sequences alike: rows in, this rank's logits out. Two all-reduces a layer are all its
// communication (model/layer.cpp).

#include "pillar/comm/communicator.hpp"
#include "pillar/forward/kv_cache.hpp"
#include "pillar/model/rope.hpp"
#include "pillar/model/weights.hpp"
#include "pillar/threads/team.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace pillar::forward {

/// One position to compute.
struct Row {
    std::int32_t token = 0;
    std::int32_t position =
        0; ///< within its sequence, without gaps; rows of one sequence come in order
    std::int32_t sequence = 0;
    bool want_logits = false;
};

struct TransformerOptions {
    std::size_t n_context = 4096; ///< positions a sequence
    std::size_t max_sequences = 1;
    std::size_t max_rows = 256;     ///< rows a call (-b)
    std::size_t max_logit_rows = 1; ///< rows with want_logits a call
    kernels::CacheType cache_type = kernels::CacheType::f16;
    bool check_tensors = false; ///< refuse weights that are no finite numbers
};

/// A step of many rows on several ranks goes through the layers in two halves: while the sum of one
/// is under way, the other is computed. Rows of the first half; all of them where one rank has
/// nothing to send, or where reading the weights twice would cost more than waiting.
std::size_t first_half(std::size_t n_rows, int n_ranks) noexcept;
inline constexpr std::size_t shortest_in_halves = 64; ///< rows: 32 a half hide the memory
inline constexpr std::size_t half_unit = 16;          ///< what kernels multiply together

/// All-reduces in one layer of a step with so many rows.
std::size_t allreduces_a_layer(std::size_t n_rows, int n_ranks) noexcept;
inline constexpr std::size_t blocks_a_layer = 2; ///< each ends with the sum of its rows

/// Barriers of the thread team in one layer of a step with so many rows; one more where a few rows
/// leave threads to share the pages of a head.
std::size_t barriers_a_layer(std::size_t n_rows, int n_ranks) noexcept;

/// Bytes this rank needs, before anything is allocated.
struct MemoryNeed {
    std::uint64_t weights = 0;
    std::uint64_t kv_cache = 0;
    std::uint64_t buffers = 0;
    [[nodiscard]] std::uint64_t total() const noexcept { return weights + kv_cache + buffers; }
};
MemoryNeed memory_need(const gguf::File& file, const model::Hyperparameters& h,
                       const partition::Share& share, const kernels::Family& family,
                       const TransformerOptions& options, int n_threads);

/// What steps ask of this rank's memory and multipliers: the least that any way of computing them
/// must read and multiply. Layers' matrices serve all rows of a step alike; the output matrix, of
/// the rows that want logits.
struct StepCost {
    std::uint64_t layer_bytes = 0; ///< of all layers' matrices, as they lie in the file
    std::uint64_t heads_bytes = 0; ///< of these, query, key, value and output projection
    std::uint64_t output_bytes = 0;
    std::uint64_t layer_macs = 0; ///< int8 multiplications a row
    std::uint64_t output_macs = 0;
    std::uint64_t kv_bytes = 0; ///< of one position's keys and values in all layers
};
/// The same without loading anything.
StepCost step_cost(const model::WeightPlan& plan, const model::Hyperparameters& h,
                   const partition::Share& share, const kernels::Family& family,
                   kernels::CacheType cache_type);

class Transformer {
  public:
    /// Load this rank's slice. Local: no communication. Throws Error.
    Transformer(const gguf::File& file, const model::Hyperparameters& h,
                const partition::Share& share, const kernels::Family& family,
                const TransformerOptions& options, threads::Team& team,
                model::LoadProgress progress);
    ~Transformer();
    Transformer(const Transformer&) = delete;
    Transformer& operator=(const Transformer&) = delete;

    /// Collective. Compute `rows` (≤ max_rows; the cache has pages for them) and append their keys
    /// and values. Returns this rank's logits, (rows with want_logits, own vocabulary rows), valid
    /// until the next call. Allocates nothing. A local failure (a read error of an embedding row)
    /// goes on with zeros; take_error() tells it afterwards.
    std::span<const float> forward(comm::Communicator& comm, std::span<const Row> rows);

    /// Assign the work to the team's threads anew, after its size has changed to another one that
    /// is at most what it was when the weights were loaded. Allocates.
    void rebalance();

    /// Keep the first `n_positions` of a sequence; its cache pages beyond them go back to the pool.
    void truncate(std::int32_t sequence, std::int32_t n_positions) noexcept;
    /// Pages of the pool that no sequence holds; the same on every rank.
    [[nodiscard]] std::size_t free_pages() const noexcept;

    /// Hash of the final residual of the last call's rows: the same on every rank, or something is
    /// wrong.
    [[nodiscard]] std::uint64_t residual_hash() const noexcept;
    /// The local failure of the last call, empty when there was none; cleared by the call.
    [[nodiscard]] std::string take_error();

    [[nodiscard]] const model::Hyperparameters& hyperparameters() const noexcept;
    [[nodiscard]] const partition::Share& share() const noexcept;
    [[nodiscard]] const TransformerOptions& options() const noexcept;
    [[nodiscard]] const model::LoadBytes& load_bytes() const noexcept;
    /// File bytes of embedding rows read so far.
    [[nodiscard]] std::uint64_t embedding_bytes_read() const noexcept;
    /// Bytes of weights that one decode step streams from memory on this rank.
    [[nodiscard]] std::uint64_t weight_bytes_per_step() const noexcept;
    [[nodiscard]] StepCost cost() const noexcept;
    /// For measurements: every matrix's product with `n_rows` ≤ max_rows columns and nothing
    /// between them; of the output matrix only when it is one column. Results are meaningless.
    void multiply_matrices(std::size_t n_rows);
    [[nodiscard]] std::uint64_t n_parameters() const noexcept; ///< of the whole model
    [[nodiscard]] std::uint64_t kv_bytes() const noexcept;

    struct State; ///< src/model/forward_state.hpp

  private:
    std::unique_ptr<State> state_;
};

} // namespace pillar::forward
