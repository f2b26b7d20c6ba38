#pragma once
// The tables of what lies below a step's shares: /layers, /threads, /telemetry.

#include "layer_times.hpp"
#include "tables.hpp"

#include <span>
#include <vector>

namespace pillar::recording {

/// A table of rows in their order, which have no label of their own.
template <class Row>
class RowsTable {
  public:
    RowsTable(storage::Group& root, std::string_view name, std::string_view dimension,
              std::span<const trace::Field<Row>> fields)
        : table_(root, name),
          number_(table_.dimension<std::uint64_t>(dimension, {.long_name = "row"})),
          columns_(table_, fields) {}
    void append(const Row& row) {
        number_.append<std::uint64_t>(n_++);
        columns_.append(std::span(&row, 1));
    }
    void finish() { table_.finish(); }

  private:
    Table table_;
    storage::Column& number_;
    FieldColumns<Row> columns_;
    std::uint64_t n_ = 0;
};

/// /layers: of every `trace_layers`-th step (see /config), each rank's layers.
class LayersTable {
  public:
    LayersTable(storage::Group& root, const JournalScan& found, const ClockTable& clocks);
    /// One entry a rank, divided already.
    void append(std::span<const RankStep> steps, const StepDivider& divider);
    void finish() { rows_.finish(); }

  private:
    RowsTable<trace::LayerRow> rows_;
    const ClockTable* clocks_;
    double origin_s_;
    std::uint64_t every_ = 0; ///< 0: no step
    std::size_t n_layers_ = 0;
};

/// /threads (S, all ranks' threads)
class ThreadsTable {
  public:
    ThreadsTable(storage::Group& root, const JournalScan& found);
    /// One entry a rank.
    void append(std::uint64_t step, std::span<const RankStep> steps);
    void finish();

  private:
    Table table_;
    storage::Column &step_, &thread_;
    storage::Column rank_, number_; ///< (threads)
    storage::Column& barrier_s_;
    std::vector<std::size_t> n_threads_; ///< (rank)
    std::vector<double> row_;
};

/// /telemetry
class TelemetryTable {
  public:
    TelemetryTable(storage::Group& root, const JournalScan& found, const ClockTable& clocks);
    void append(const RankSteps& rank);
    void finish() { rows_.finish(); }

  private:
    RowsTable<trace::TelemetryRow> rows_;
    const ClockTable* clocks_;
    double origin_s_;
};

} // namespace pillar::recording
