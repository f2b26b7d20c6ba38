#pragma once
// One rank's weights: its slice of every matrix, packed for the kernel family, and the vectors that
// every rank holds. Read with pread straight from the file, each rank its own slices (partition
// decides which), repacked in parallel.

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/kernels/matrix.hpp"
#include "pillar/model/hyperparameters.hpp"
#include "pillar/model/tensors.hpp"
#include "pillar/threads/team.hpp"

#include <cstdint>
#include <vector>

namespace pillar::model {

/// One of a layer's experts.
struct Expert {
    kernels::Matrix gate; ///< column parallel: own hidden rows × dim
    kernels::Matrix up;
    /// Row parallel: dim rows × own hidden columns, a matrix for each own slice, since the experts'
    /// results are added up slice by slice.
    std::vector<kernels::Matrix> down;
};

struct LayerWeights {
    std::vector<float> attention_norm;    ///< (dim)
    std::vector<float> feed_forward_norm; ///< (dim)
    /// (dim), or empty: of what a block adds to the residual.
    std::vector<float> attention_post_norm, feed_forward_post_norm;
    kernels::Matrix query; ///< column parallel: own heads · head_dim rows × dim
    kernels::Matrix key;   ///< column parallel: own KV heads · head_dim rows × dim
    kernels::Matrix value;
    kernels::Matrix output; ///< row parallel: dim rows × own heads' columns
    kernels::Matrix gate;   ///< column parallel: own hidden rows × dim
    kernels::Matrix up;
    kernels::Matrix down; ///< row parallel: dim rows × own hidden columns
    // Instead of gate, up and down where there are experts.
    kernels::Matrix router;         ///< all experts' rows × dim, the same on every rank
    std::vector<Expert> experts;    ///< (n_experts)
    std::vector<float> router_bias; ///< (n_experts), or empty
    std::vector<float> expert_gate_bias, expert_up_bias; ///< (n_experts, own hidden rows), or empty
    std::vector<float> expert_down_bias;                 ///< (n_experts, dim), or empty
    std::vector<float> sinks;                            ///< own query heads, or empty
    // Optional biases: empty when the file has none. Those of row-parallel products are added after
    // the all-reduce.
    std::vector<float> query_bias, key_bias, value_bias; ///< own rows
    std::vector<float> gate_bias, up_bias;               ///< own hidden rows
    /// Of every head (head_dim), of own rows where the norm is a joint one, or empty.
    std::vector<float> query_norm, key_norm;
    std::vector<float> output_bias, down_bias; ///< (dim)
};

struct Weights {
    /// All matrices, packed, in the order of the plan: one allocation, so that all lie on huge
    /// pages.
    AlignedBuffer<std::byte> packed;
    std::vector<LayerWeights> layers;
    std::vector<float> final_norm;   ///< (dim)
    std::vector<float> rope_factors; ///< rope_freqs.weight, or empty
    kernels::Matrix output;          ///< own vocabulary rows × dim (the embedding when tied)
    const gguf::TensorInfo* embedding = nullptr; ///< rows are read from the file on demand
};

/// What was asked for when loading, in bytes of file data.
struct LoadBytes {
    std::uint64_t matrices = 0; ///< slices of matrices
    std::uint64_t vectors = 0;  ///< norms, biases, rope factors: whole on every rank
};

/// Where the tensor of a role goes; nullptr where the role is none of a layer's or of the other
/// kind.
kernels::Matrix LayerWeights::*layer_matrix(Role role) noexcept;
std::vector<float> LayerWeights::*layer_vector(Role role) noexcept;

/// A matrix of which this rank holds a slice.
struct MatrixPlan {
    Role role = Role::output;
    std::size_t layer = 0; ///< 0 where it stands once
    const gguf::TensorInfo* tensor = nullptr;
    kernels::MatrixShape shape; ///< of this rank's slice
    std::size_t base_row = 0;   ///< of the tensor, where the role's rows begin in it
    std::size_t first_row = 0;  ///< of the role's rows
    std::size_t head_dim = 0;   ///< where rows are permuted (RowOrder::half_pairs), else 0
    std::size_t rotary_dims = 0;
    std::size_t expert = 0;   ///< of the role's experts
    bool is_by_slice = false; ///< each own slice becomes a matrix of its own

    /// The matrices that the slice is packed as.
    [[nodiscard]] std::vector<kernels::MatrixShape> parts() const;
    /// Row of the tensor that row `r` of the slice is.
    [[nodiscard]] std::size_t tensor_row(std::size_t r) const noexcept {
        const std::size_t row = first_row + r;
        return base_row + (head_dim == 0 ? row : half_pair_row(row, head_dim, rotary_dims));
    }
};
/// A norm, bias or factors: read whole, of which this rank keeps `wanted`.
struct VectorPlan {
    Role role = Role::final_norm;
    std::size_t layer = 0; ///< 0 where it stands once
    const gguf::TensorInfo* tensor = nullptr;
    Range wanted;
    std::size_t n_vectors = 1; ///< that lie one after another, of each of which that is wanted
    std::size_t head_dim = 0;  ///< as in MatrixPlan
    std::size_t rotary_dims = 0;
};
struct WeightPlan {
    std::vector<MatrixPlan> matrices;
    std::vector<VectorPlan> vectors;
    const gguf::TensorInfo* embedding = nullptr;
    std::size_t packed_bytes = 0;   ///< Weights::packed: resident size of all matrices
    std::size_t vector_bytes = 0;   ///< resident size of all vectors
    std::uint64_t read_bytes = 0;   ///< what loading will ask for (LoadBytes::matrices)
    std::uint64_t n_parameters = 0; ///< of the whole model
};
/// This rank's slices of the tensors on the architecture's list. Throws FormatError (missing
/// tensor, wrong shape or type).
WeightPlan plan_weights(const gguf::File& file, const Hyperparameters& h,
                        const partition::Share& share, const kernels::Family& family);

/// Called on the main thread now and then while loading: bytes done so far of plan.read_bytes.
using LoadProgress = FunctionRef<void(std::uint64_t)>;

/// Read and pack; with `check`, decode what was read and refuse weights that are no finite numbers.
/// Throws IoError or FormatError.
Weights load_weights(const gguf::File& file, const Hyperparameters& h,
                     const kernels::Family& family, const WeightPlan& plan, threads::Team& team,
                     bool check, LoadProgress progress, LoadBytes& bytes);

} // namespace pillar::model
