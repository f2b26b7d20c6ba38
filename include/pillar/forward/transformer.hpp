#pragma once
// The forward pass of one rank: a workspace (KV cache, buffers, the division of work among the
// threads) over a model that is only read. One call serves a prefill chunk, a decode step and a
// batch of sequences alike: rows in, this rank's logits out. Two all-reduces a layer, three with a
// joint norm, are all its communication (src/forward/layer.cpp).

#include "pillar/comm/communicator.hpp"
#include "pillar/forward/activation_sums.hpp"
#include "pillar/forward/cost.hpp"
#include "pillar/forward/row.hpp"
#include "pillar/model/model.hpp"
#include "pillar/threads/team.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace pillar::forward {

struct Workspace; ///< src/forward/workspace.hpp

class Transformer {
  public:
    /// Allocates the workspace. The model and the team must outlive it; several may share one
    /// model, each with its own sequences. Local: no communication.
    Transformer(const model::Model& model, const TransformerOptions& options, threads::Team& team);
    ~Transformer();
    Transformer(const Transformer&) = delete;
    Transformer& operator=(const Transformer&) = delete;

    /// Collective. Compute `rows` (≤ max_rows; the cache has pages for them) and append their keys
    /// and values. Returns this rank's logits, (rows with want_logits, own vocabulary rows), valid
    /// until the next call. Allocates nothing. A local failure (a read error of an embedding row)
    /// goes on with zeros; take_error() tells it afterwards.
    std::span<const float> forward(comm::Communicator& comm, std::span<const Row> rows);

    /// Assign the work to the team's threads anew, after its size has changed to another one that
    /// is at most what it was at first. Allocates.
    void assign_work();

    /// Whether a sequence can be cut to `n_positions`. Layers that attend within a window have
    /// forgotten what no later row would have seen: a sequence that is longer than the window goes
    /// back by no more than is left of its first page, or to its start. The same on every rank.
    [[nodiscard]] bool keeps(std::int32_t sequence, std::int32_t n_positions) const noexcept;
    /// Keep the first `n_positions` of a sequence; its cache pages beyond them go back to the pool.
    /// expects() keeps().
    void truncate(std::int32_t sequence, std::int32_t n_positions) noexcept;
    /// Let an empty sequence begin with the first `n_positions`, whole pages, of another one, whose
    /// tokens are the same. expects() shares_pages() and pages that are there.
    void share(std::int32_t sequence, std::int32_t from, std::int32_t n_positions) noexcept;
    /// No layer forgets: what a sequence has computed stays in its pages.
    [[nodiscard]] bool shares_pages() const noexcept;
    /// Keys and values of a sequence's first `n_positions` in one layer and own KV head:
    /// (n_positions, kv_row_bytes()), a position's key and then its value, in the cache type.
    /// expects() shares_pages(), and pages that are there: reserve() makes them, false when the
    /// pool is empty.
    bool reserve(std::int32_t sequence, std::size_t n_positions) noexcept;
    void read_kv(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                 std::size_t kv_head, std::span<std::byte> rows) const noexcept;
    void write_kv(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                  std::size_t kv_head, std::span<const std::byte> rows) noexcept;
    [[nodiscard]] std::size_t kv_row_bytes() const noexcept;
    /// Pages of the pools that no sequence holds; the same on every rank.
    [[nodiscard]] std::size_t free_pages() const noexcept;
    /// And those that some sequence holds.
    [[nodiscard]] std::size_t used_pages() const noexcept;

    /// Hash of the final residual of the last call's rows: the same on every rank, or something is
    /// wrong.
    [[nodiscard]] std::uint64_t residual_hash() const noexcept;
    /// When the first layer of the last call began (monotonic_s): embedding and first norm were
    /// done.
    [[nodiscard]] double layers_begin_s() const noexcept;
    /// The local failure of the last call, empty when there was none; cleared by the call.
    [[nodiscard]] std::string take_error();

    [[nodiscard]] const model::Model& model() const noexcept;
    [[nodiscard]] const model::Hyperparameters& hyperparameters() const noexcept {
        return model().h;
    }
    [[nodiscard]] const partition::Share& share() const noexcept { return model().share; }
    [[nodiscard]] const TransformerOptions& options() const noexcept;
    /// The threads that compute; nobody else uses them between two calls.
    [[nodiscard]] threads::Team& team() const noexcept;
    [[nodiscard]] std::uint64_t kv_bytes() const noexcept;
    [[nodiscard]] StepCost cost() const noexcept;
    /// File bytes of embedding rows read so far.
    [[nodiscard]] std::uint64_t embedding_bytes_read() const noexcept;

    /// Sums of the activations of every call since the last end of a chunk, and before; nullptr
    /// unless TransformerOptions::sums_activations. Not during a call.
    [[nodiscard]] ActivationSums* activation_sums() noexcept;

    /// For measurements: every matrix's product with `n_rows` ≤ max_rows columns and nothing
    /// between them; of the output matrix only when it is one column. Results are meaningless.
    void multiply_matrices(std::size_t n_rows);

  private:
    std::unique_ptr<Workspace> workspace_;
};

} // namespace pillar::forward
