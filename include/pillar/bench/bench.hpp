#pragma once
// `bench`: how fast a model is computed here, in llama-bench's tests and tables; on any number of
// ranks, with the messages of a real run.

#include "pillar/bench/tests.hpp"
#include "pillar/comm/environment.hpp"
#include "pillar/session/options.hpp"
#include "pillar/session/tracing.hpp"
#include "pillar/synthetic/synthetic.hpp"
#include "pillar/tables/writer.hpp"

#include <string>
#include <vector>

namespace pillar::bench {

/// --dry-run-ranks: dry_run.hpp.
struct DryRunOptions {
    std::size_t n_ranks = 0;     ///< 0: no dry run
    std::string profile = "pi4"; ///< file or name of what is predicted from
    std::string network;         ///< instead of the profile's; empty: that
};

struct BenchOptions {
    session::ModelOptions model;                     ///< of every model but which it is
    std::vector<std::string> files;                  ///< models, one after another …
    std::vector<synthetic::SyntheticName> synthetic; ///< … then these
    BenchLists lists;
    tables::Format output = tables::Format::md;
    bool warm_up = true;
    bool roofline = false;
    DryRunOptions dry_run;
    std::string write; ///< write_synthetic's file
    bool force = false;
    session::TraceFlags trace; ///< of the only model's repetitions; its `force` is the one above
};

/// Collective. Returns the exit code: resumable where a signal ended it. Throws comm::AgreedError.
int bench_models(const BenchOptions& options, comm::Environment& environment);

/// Without MPI. Write the only synthetic model as a GGUF file. Throws Error.
void write_synthetic(const BenchOptions& options);

} // namespace pillar::bench
