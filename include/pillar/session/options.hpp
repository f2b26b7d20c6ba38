#pragma once
// How to load and compute a model, as every subcommand that does so is told.

#include "pillar/comm/algorithms.hpp"
#include "pillar/comm/network_model.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/session/split_request.hpp"
#include "pillar/synthetic/synthetic.hpp"

#include <optional>
#include <string>

namespace pillar::session {

/// --draft: who proposes tokens, and how many a sequence and step at most.
struct DraftOptions {
    std::size_t n_most = 0; ///< 0: nobody does
    std::string model;      ///< a GGUF file of the same vocabulary; empty: the text itself
};

/// bench --dry-run-ranks: one process loads and computes the part of this rank.
struct PlayedRank {
    int rank = 0;
    int n_ranks = 1;
};

struct ModelOptions {
    std::string model;                                 ///< a GGUF file
    std::optional<synthetic::SyntheticName> synthetic; ///< instead of a file
    std::size_t n_context = 0;                         ///< 0: min(the model's, 4096)
    std::size_t n_batch = 256;
    int n_threads = 0;                       ///< 0: what the binding gives
    const kernels::Family* family = nullptr; ///< nullptr: auto
    kernels::CacheTypes cache_types = kernels::CacheType::f16;
    std::uint64_t kv_memory = 0; ///< bytes of the cache a rank, where it is a pool; 0: what fits
    std::optional<comm::Algorithm> allreduce; ///< nothing: auto
    comm::Wire wire = comm::Wire::f32;
    std::optional<comm::NetworkModel> emulated; ///< nothing: the network there is
    SplitRequest split;
    DraftOptions draft;
    std::optional<PlayedRank> played; ///< nothing: the ranks that there are; else one process,
                                      ///< whose split is even or a list
    bool check_tensors = false;
    double timeout_s = 0; ///< as WatchLimits::step_s
};
/// The file's path or the synthetic model's name.
std::string model_name(const ModelOptions& options);
/// "auto" or the algorithm's name.
std::string allreduce_text(const ModelOptions& options);
/// "ngram:7", "FILE.gguf:7"; "" where nobody proposes.
std::string draft_text(const DraftOptions& draft);
/// "50,8.5"; "" where none is emulated.
std::string network_text(const std::optional<comm::NetworkModel>& network);

} // namespace pillar::session
