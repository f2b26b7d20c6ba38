#pragma once
// What the ranks' shares of a model cost: what plans predict from, and what traces keep so that
// reports can.

#include "pillar/gguf/file.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/perf/run_shape.hpp"

#include <span>
#include <vector>

namespace pillar::session {

/// Of every rank, without loading anything; no `weights`: an even split. Throws FormatError.
std::vector<perf::RankCost> rank_costs(const gguf::File& file, const model::Hyperparameters& h,
                                       const kernels::Family& family,
                                       kernels::CacheTypes cache_types, int n_ranks,
                                       std::span<const double> weights);

} // namespace pillar::session
