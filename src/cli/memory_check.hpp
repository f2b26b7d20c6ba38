#pragma once
// The memory pre-flight: what this host's ranks need beside what the host has, and what would fit
// instead.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/model/transformer.hpp"

namespace pillar::cli {

/// What rank `rank` of `n_ranks` needs with a context of `n_context`.
using NeedOf = FunctionRef<model::MemoryNeed(int rank, int n_ranks, std::size_t n_context)>;

/// Collective. Throws comm::AgreedError(refused) naming the host, the need, what there is, and the
/// smallest number of ranks or the context that fits.
void expect_memory(comm::Communicator& comm, NeedOf need, std::size_t n_context);

} // namespace pillar::cli
