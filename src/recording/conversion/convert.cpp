// Second pass over a journal: every record becomes rows.

#include "pillar/recording/convert.hpp"

#include "detail_tables.hpp"
#include "journal/scan.hpp"
#include "journal/step_walk.hpp"
#include "tables.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/trace/journal_path.hpp"

#include <cerrno>
#include <unistd.h>

namespace pillar::recording {

namespace {

class Converter {
  public:
    Converter(storage::Group& root, const JournalScan& found)
        : n_ranks_(found.header.n_ranks), clocks_(found.clocks, n_ranks_), divider_(clocks_),
          steps_(root, found), ranks_(root, n_ranks_), tokens_(root), sequences_(root),
          layers_(root, found, clocks_), threads_(root, found), telemetry_(root, found, clocks_),
          row_(n_ranks_), times_(n_ranks_) {
        write_provenance(root, found);
        write_hosts(root, found, clocks_);
    }

    void add(const Record& record, const Origin& origin) {
        if (record.type == RecordType::steps) add(decode_steps(record.payload, origin));
        if (record.type == RecordType::tokens) {
            for (const TokenEntry& token : decode_tokens(record.payload, origin)) {
                tokens_.append(token);
            }
        }
        if (record.type == RecordType::sequence) {
            sequences_.append(decode_sequence(record.payload, origin));
        }
    }

    void finish(storage::Group& root, Conversion& result) {
        steps_.finish();
        ranks_.finish();
        tokens_.finish();
        sequences_.finish();
        layers_.finish();
        threads_.finish();
        telemetry_.finish();
        collectives_.write(root);
        waiting_.write(root);
        result.n_steps = steps_.n_rows();
        result.n_tokens = tokens_.n_rows();
        result.n_sequences = sequences_.n_rows();
    }

  private:
    void add(const StepBlock& block) {
        std::vector<RankWalk> walks(n_ranks_, RankWalk(nullptr));
        const RankSteps* root = nullptr;
        for (const RankSteps& rank : block.ranks) {
            if (rank.rank >= n_ranks_) continue;
            walks[rank.rank] = RankWalk(&rank);
            telemetry_.append(rank);
            if (rank.rank == 0) root = &rank;
        }
        if (root == nullptr) return;
        for (const StepHead& head : root->heads) {
            for (std::size_t rank = 0; rank < n_ranks_; ++rank) {
                row_[rank] = walks[rank].take(head.counts.step);
            }
            divider_.divide(row_, times_);
            steps_.append(row_);
            ranks_.append(head.counts.step, row_, times_);
            layers_.append(row_, divider_);
            threads_.append(head.counts.step, row_);
            collectives_.add(head.counts.phase, divider_.collectives());
            waiting_.add(head.counts.phase, divider_.waits());
        }
    }

    std::size_t n_ranks_;
    ClockTable clocks_;
    StepDivider divider_;
    StepsTable steps_;
    RanksTable ranks_;
    TokensTable tokens_;
    SequencesTable sequences_;
    LayersTable layers_;
    ThreadsTable threads_;
    TelemetryTable telemetry_;
    CollectivesTable collectives_;
    WaitingTable waiting_;
    std::vector<RankStep> row_;
    std::vector<trace::RankTimes> times_;
};

/// Writes the whole file or throws.
Conversion write_file(JournalReader& journal, const JournalScan& found, const std::string& path,
                      FunctionRef<void()> heartbeat) {
    Conversion result;
    storage::File file(path);
    {
        Converter converter(file.root(), found);
        journal.rewind();
        while (const auto record = journal.next()) {
            converter.add(*record, journal.origin(*record));
            heartbeat();
        }
        converter.finish(file.root(), result);
    }
    file.close();
    return result;
}

} // namespace

Conversion convert(const std::string& journal_path, const std::string& path,
                   FunctionRef<void()> heartbeat) {
    JournalReader journal(journal_path);
    const JournalScan found = scan_journal(journal, journal_path);
    OutputFile output(path);
    Conversion result = write_file(journal, found, output.part(), heartbeat);
    output.commit();
    result.path = path;
    result.n_bytes_damaged = found.n_bytes_damaged;
    result.n_steps_lost = found.n_steps_cut;
    result.complete = found.is_complete();
    return result;
}

Conversion recover(const std::string& journal_path, bool force) {
    constexpr std::string_view ending = trace::journal_ending;
    if (!journal_path.ends_with(ending) || journal_path.size() == ending.size()) {
        throw UsageError(printable(journal_path, 4096) +
                         ": a journal's name ends in .journal, as in FILE.h5.journal");
    }
    const std::string path = journal_path.substr(0, journal_path.size() - ending.size());
    expect_output(path, force, std::span(&journal_path, 1));
    if (JournalReader(journal_path).is_being_written()) {
        throw IoError(ExitCode::refused, journal_path,
                      "is still being written; wait for the run to end");
    }
    Conversion result = convert(journal_path, path);
    if (::unlink(journal_path.c_str()) != 0) {
        throw IoError::from_errno(journal_path, "remove", errno);
    }
    return result;
}

} // namespace pillar::recording
