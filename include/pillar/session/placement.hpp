#pragma once
// --split: which part of the model each rank owns. Evenly; by a list of shares; by the shares that
// a trace has recorded; or in proportion to the ranks' speeds, measured now.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/partition/uneven.hpp"
#include "pillar/quant/type.hpp"
#include "pillar/session/split_request.hpp"
#include "pillar/threads/team.hpp"

#include <span>
#include <string>
#include <vector>

namespace pillar::session {

struct Placement {
    std::vector<double> weights;     ///< one a rank; empty: even
    std::vector<double> bytes_per_s; ///< measured, one a rank; empty: nothing was measured
    std::string explanation;         ///< one line for the log; empty: nothing to say
};

/// What auto measures with and assigns by.
struct PlacementInputs {
    const gguf::File& file; ///< its most frequent format is multiplied
    const kernels::Family& family;
    threads::Team& team;
    /// Called on rank 0 alone; `n_threads` of that rank.
    FunctionRef<partition::Need(int rank, int n_threads, std::span<const double> weights)> need;
};

/// Collective. Throws comm::AgreedError: a list or a trace of another number of ranks (usage), a
/// trace that cannot be read.
Placement choose_placement(comm::Communicator& comm, const SplitRequest& request,
                           const PlacementInputs& inputs);

/// "auto: pi1 0.34, pi2 0.66 (speeds 3.1, 6.2 GB/s)". `hosts`: one a rank.
std::string explain(const partition::Assignment& assignment, std::span<const double> bytes_per_s,
                    std::span<const std::string> hosts);

/// The block format that holds most of the bytes of the model's matrices.
quant::Type main_type(const gguf::File& file);

} // namespace pillar::session
