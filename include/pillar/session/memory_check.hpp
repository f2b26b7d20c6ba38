#pragma once
// The memory pre-flight: what ranks need beside what there is for them, and what would fit instead.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/engine/loop.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/session/options.hpp"
#include "pillar/telemetry/memory.hpp"

#include <span>

namespace pillar::session {

/// What a rank needs for the model, the step loop, and the all-reduces that `options` may choose,
/// when the ranks split the model by `weights` (empty: evenly).
forward::MemoryNeed rank_need(const gguf::File& file, const model::Hyperparameters& h,
                              const kernels::Family& family, const ModelOptions& options,
                              const forward::TransformerOptions& wanted,
                              const engine::LoopOptions& loop, int n_threads, int rank, int n_ranks,
                              std::span<const double> weights = {});
/// Of a `run` with the default sampling.
engine::LoopOptions usual_loop();

/// What rank `rank` of `n_ranks` needs with a context of `n_context`.
using NeedOf = FunctionRef<forward::MemoryNeed(int rank, int n_ranks, std::size_t n_context)>;

/// Of this rank.
struct MemoryReport {
    forward::MemoryNeed need;             ///< to come
    std::uint64_t in_use = 0;             ///< resident before: the program, MPI, the tokenizer
    telemetry::AvailableMemory available; ///< its part of what there is
    std::string shortage; ///< empty, or a sentence with the host, the need, what there is, and with
                          ///< what context or on how many ranks all would fit
};

/// Collective. This rank's part of what there is: each limit divided by the ranks that share it.
telemetry::AvailableMemory available_to_rank(comm::Communicator& comm);

/// Collective. This rank's report. A limit is held against the needs of all ranks that share it:
/// the machine's memory, a control group; an address space belongs to one rank. What `need` throws
/// is agreed upon.
MemoryReport examine_memory(comm::Communicator& comm, NeedOf need, std::size_t n_context);

/// Collective. The same; throws comm::AgreedError(refused) with the shortage of the first rank that
/// has one.
MemoryReport expect_memory(comm::Communicator& comm, NeedOf need, std::size_t n_context);

} // namespace pillar::session
