#pragma once
// The results of `bench` as llama-bench writes them: a table, csv, json, jsonl. A result is one
// record with llama-bench's field names and ours beside them; the table and csv show parts of it.

#include "pillar/tables/writer.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pillar::bench {

/// Fills in avg_ns, stddev_ns, avg_ts, stddev_ts, samples_ns and samples_ts from the repetitions'
/// times.
void add_samples(tables::Record& record, const std::vector<double>& seconds, std::size_t n_tokens);

/// Rank 0 only. Makes the text of one format; what is written comes out piece by piece, so that
/// long benchmarks show what they have.
class BenchOutput {
  public:
    /// What the table shows besides the columns that are always there.
    struct Columns {
        bool n_batch = false;
        bool cache_type = false;
        bool allreduce = false;
        bool roofline = false;
    };
    virtual ~BenchOutput() = default;
    virtual std::string header() const { return {}; }
    virtual std::string result(const tables::Record& record) = 0;
    virtual std::string footer() const { return {}; }
};

std::unique_ptr<BenchOutput> make_bench_output(tables::Format format,
                                               const BenchOutput::Columns& columns);

} // namespace pillar::bench
