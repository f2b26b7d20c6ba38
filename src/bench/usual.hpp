#pragma once
// What all benchmarks of a model have in common: room for their tests, the loop of `run`, the
// model's name in tables.

#include "pillar/bench/bench.hpp"
#include "pillar/bench/tests.hpp"
#include "pillar/engine/loop.hpp"
#include "pillar/model/model.hpp"
#include "pillar/session/options.hpp"

#include <string>
#include <vector>

namespace pillar::bench {

/// The files, then the synthetic models.
std::vector<session::ModelOptions> models_of(const BenchOptions& options);

/// With the context, rows and threads that the largest of `tests` needs.
session::ModelOptions with_room(session::ModelOptions options, const std::vector<BenchTest>& tests);

/// As `run` has them by default: the same candidates are gathered.
engine::LoopOptions loop_options();

/// As llama-bench: the whole prompt, one generated token.
engine::BenchmarkTest warm_up_of(engine::BenchmarkTest test);

/// "llama 1.2B Q4_K_M" or "Llama-3.2-1B Q4_K_M synthetic"
std::string model_type(const model::Model& model, const session::ModelOptions& options);

/// Of all tensors in the file.
std::uint64_t tensor_bytes(const gguf::File& file);

} // namespace pillar::bench
