#pragma once
// The groups of FILE.h5 as tables that grow row by row; docs/trace_format.md lists every column.

#include "field_columns.hpp"
#include "journal/scan.hpp"
#include "step_times.hpp"
#include "table.hpp"

#include <map>
#include <span>
#include <tuple>

namespace pillar::recording {

/// Root attributes and /config.
void write_provenance(storage::Group& root, const JournalScan& found);
/// /hosts, one row a rank.
void write_hosts(storage::Group& root, const JournalScan& found, const ClockTable& clocks);

/// /steps (S)
class StepsTable {
  public:
    StepsTable(storage::Group& root, const JournalScan& found);
    /// One entry a rank; rank 0's is there.
    void append(std::span<const RankStep> steps);
    void finish() { table_.finish(); }
    [[nodiscard]] std::size_t n_rows() const noexcept { return n_; }

  private:
    const JournalScan* found_;
    Table table_;
    storage::Column& step_;
    FieldColumns<trace::StepRow> columns_;
    std::size_t n_ = 0;
};

/// /ranks (S, P)
class RanksTable {
  public:
    RanksTable(storage::Group& root, std::size_t n_ranks);
    /// One entry a rank.
    void append(std::uint64_t step, std::span<const RankStep> steps,
                std::span<const trace::RankTimes> times);
    void finish() { table_.finish(); }

  private:
    Table table_;
    storage::Column &step_, &rank_;
    FieldColumns<trace::RankRow> columns_;
    std::vector<trace::RankRow> row_;
};

/// /tokens (T)
class TokensTable {
  public:
    explicit TokensTable(storage::Group& root);
    void append(const TokenEntry& token);
    void finish() { table_.finish(); }
    [[nodiscard]] std::size_t n_rows() const noexcept { return n_; }

  private:
    Table table_;
    storage::Column &token_, &step_, &sequence_, &position_, &id_, &phase_, &latency_s_, &logprob_;
    std::size_t n_ = 0;
};

/// /sequences
class SequencesTable {
  public:
    explicit SequencesTable(storage::Group& root);
    void append(const engine::SequenceRecord& sequence);
    void finish() { table_.finish(); }
    [[nodiscard]] std::size_t n_rows() const noexcept { return n_; }

  private:
    Table table_;
    storage::Column &sequence_, &n_prompt_, &n_generated_, &ttft_s_, &finish_reason_;
    storage::TextColumn &prompt_, &completion_;
    std::size_t n_ = 0;
};

/// /collectives: what the steps of a phase spent in collectives of one kind and size.
class CollectivesTable {
  public:
    void add(engine::Phase phase, std::span<const CollectiveTimes> collectives);
    void write(storage::Group& root) const;

  private:
    struct Sums {
        std::uint64_t count = 0;
        double wait_s = 0;
        double wire_s = 0;
        double min_wire_s = 0;
    };
    std::map<std::tuple<engine::Phase, CollectiveKind, std::uint32_t>, Sums> rows_;
};

/// /waiting: how long ranks waited for which.
class WaitingTable {
  public:
    void add(engine::Phase phase, std::span<const WaitedFor> waits);
    void write(storage::Group& root) const;

  private:
    struct Sums {
        std::uint64_t count = 0;
        double wait_s = 0;
        double uncertainty_s = 0;
    };
    /// (phase, rank, cause)
    std::map<std::tuple<engine::Phase, std::uint32_t, std::uint32_t>, Sums> rows_;
};

} // namespace pillar::recording
