// Planted journals become files with exactly the planted values, whole or cut short.

#include "pillar/recording/convert.hpp"

#include "pillar/storage/reader.hpp"
#include "support/planted_trace.hpp"
#include "support/temporary_directory.hpp"

#include <cmath>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <sys/resource.h>

namespace pillar::recording {
namespace {

using support::planted_step;
using support::TemporaryDirectory;
using support::write_planted_run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Converted : public ::testing::Test {
  protected:
    Converted() : journal_(directory_.file("x.h5.journal")), path_(directory_.file("x.h5")) {
        write_planted_run(journal_);
        result_ = convert(journal_, path_);
    }
    template <class T>
    std::vector<T> column(const char* name) const {
        return storage::Reader(path_).column<T>(name);
    }
    storage::Value attribute(const char* group, const char* name) const {
        return storage::Reader(path_).attribute(group, name).value();
    }

    TemporaryDirectory directory_;
    std::string journal_, path_;
    Conversion result_;
};

TEST_F(Converted, HasARowForEveryRecord) {
    EXPECT_EQ(result_.n_steps, 3);
    EXPECT_EQ(result_.n_tokens, 2);
    EXPECT_EQ(result_.n_sequences, 1);
    EXPECT_TRUE(result_.complete);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".part"));
    EXPECT_TRUE(std::filesystem::exists(journal_)); // who called may remove it
}

TEST_F(Converted, SaysHowTheRunWasMade) {
    EXPECT_EQ(attribute("/", "format"), storage::Value("pillar-trace"));
    EXPECT_EQ(attribute("/", "format_version"), storage::Value(std::int64_t{2}));
    EXPECT_EQ(attribute("/", "title"), storage::Value("planted"));
    EXPECT_EQ(attribute("/", "created"), storage::Value("2025-12-31T23:59:59Z"));
    EXPECT_EQ(attribute("/", "software"), storage::Value("pillar"));
    EXPECT_EQ(attribute("/", "software_version"), storage::Value("0.1.0"));
    EXPECT_EQ(attribute("/", "git_revision"), storage::Value("abc"));
    EXPECT_EQ(attribute("/", "command_line"),
              storage::Value("pillar run -m tiny.gguf -p \"Grüße\""));
    EXPECT_EQ(attribute("/", "trace_complete"), storage::Value(std::int64_t{1}));
    EXPECT_EQ(attribute("/", "exit_code"), storage::Value(std::int64_t{75}));
    EXPECT_EQ(attribute("/config", "model"), storage::Value("tiny"));
    EXPECT_EQ(attribute("/config", "n_layers"), storage::Value(std::int64_t{2}));
    EXPECT_EQ(attribute("/config", "temperature"), storage::Value(0.5));
    EXPECT_EQ(attribute("/config", "n_ranks"), storage::Value(std::int64_t{2}));
}

TEST_F(Converted, HoldsThePlantedSteps) {
    EXPECT_THAT(column<std::uint64_t>("/steps/step"), ElementsAre(0, 1, 2));
    EXPECT_THAT(column<double>("/steps/t_start_s"), ElementsAre(1, 2, 3));
    EXPECT_THAT(column<double>("/steps/duration_s"), ElementsAre(0.75, 0.75, 0.75));
    EXPECT_THAT(column<std::uint8_t>("/steps/phase"), ElementsAre(0, 1, 1));
    EXPECT_THAT(column<std::uint32_t>("/steps/n_rows"), ElementsAre(5, 1, 1));
    EXPECT_THAT(column<std::uint32_t>("/steps/n_logits"), ElementsAre(1, 1, 1));
    EXPECT_THAT(column<std::uint64_t>("/steps/n_attended"), ElementsAre(15, 6, 7));
    EXPECT_THAT(column<std::uint64_t>("/steps/n_cached"), ElementsAre(5, 6, 7));
    EXPECT_THAT(column<std::uint32_t>("/steps/n_sequences"), ElementsAre(1, 1, 1));
    EXPECT_THAT(column<std::uint32_t>("/steps/n_pages"), ElementsAre(2, 3, 4));
    EXPECT_THAT(column<std::uint32_t>("/steps/n_shared"), ElementsAre(256, 0, 0));
    EXPECT_THAT(column<std::uint32_t>("/steps/n_proposed"), ElementsAre(0, 3, 0));
    EXPECT_THAT(column<std::uint32_t>("/steps/n_accepted"), ElementsAre(0, 2, 0));
    EXPECT_THAT(column<std::uint8_t>("/steps/is_draft"), ElementsAre(0, 0, 1));
    EXPECT_THAT(column<std::uint32_t>("/steps/request_bytes"), ElementsAre(16, 16, 16));
    EXPECT_THAT(column<std::uint32_t>("/steps/reply_bytes"), ElementsAre(24, 24, 24));
}

TEST_F(Converted, ChargesTracingToTheStepAfterWhichItHappened) {
    // Rank 0's seconds and both ranks' bytes of the gather that followed, and what a step had
    // itself.
    EXPECT_THAT(column<double>("/steps/trace_s"), ElementsAre(0.1875, 0.3125, 0.0625));
    EXPECT_THAT(column<std::uint64_t>("/steps/trace_bytes"), ElementsAre(120, 150, 0));
    EXPECT_EQ(attribute("/steps", "setup_trace_s"), storage::Value(0.5));
    EXPECT_EQ(attribute("/steps", "setup_trace_bytes"), storage::Value(std::int64_t{2100}));
}

TEST_F(Converted, DividesEveryRanksTime) {
    EXPECT_THAT(column<double>("/ranks/compute_s"),
                ElementsAre(0.375, 0.0625, 0.375, 0.0625, 0.375, 0.0625));
    EXPECT_THAT(column<double>("/ranks/wait_s"), ElementsAre(0, 0.25, 0, 0.25, 0, 0.25));
    EXPECT_THAT(column<double>("/ranks/wire_s"),
                ElementsAre(0.375, 0.375, 0.375, 0.375, 0.375, 0.375));
    EXPECT_THAT(column<double>("/ranks/idle_s"), ElementsAre(0, 0.0625, 0, 0.0625, 0, 0.0625));
    // Rank 0: all-reduce and gather, 1/32 each. Rank 1: broadcast and all-reduce, 2/32 each.
    EXPECT_THAT(column<double>("/ranks/wait_uncertainty_s"),
                ElementsAre(0.0625, 0.125, 0.0625, 0.125, 0.0625, 0.125));
    EXPECT_THAT(column<std::uint8_t>("/ranks/wait_resolved"), ElementsAre(0, 1, 0, 1, 0, 1));
    EXPECT_THAT(column<std::uint64_t>("/ranks/bytes_sent"),
                ElementsAre(300, 200, 300, 200, 300, 200));
    EXPECT_THAT(column<std::uint64_t>("/ranks/messages_sent"), ElementsAre(3, 2, 3, 2, 3, 2));
    EXPECT_THAT(column<std::uint64_t>("/ranks/bytes_read"),
                ElementsAre(1000, 2000, 1000, 2000, 1000, 2000));
    EXPECT_THAT(storage::Reader(path_).shape("/ranks/wait_s"), ElementsAre(3, 2));
}

TEST_F(Converted, HoldsThePlantedTokensAndSequences) {
    EXPECT_THAT(column<std::uint64_t>("/tokens/step"), ElementsAre(0, 1));
    EXPECT_THAT(column<std::int32_t>("/tokens/position"), ElementsAre(4, 5));
    EXPECT_THAT(column<std::int32_t>("/tokens/id"), ElementsAre(17, 42));
    EXPECT_THAT(column<std::uint8_t>("/tokens/phase"), ElementsAre(0, 1));
    EXPECT_THAT(column<double>("/tokens/latency_s"), ElementsAre(0.25, 0.75));
    EXPECT_TRUE(std::isnan(column<float>("/tokens/logprob")[0]));
    EXPECT_EQ(column<float>("/tokens/logprob")[1], -0.5F);
    const storage::Reader reader(path_);
    EXPECT_THAT(reader.texts("/sequences/prompt"), ElementsAre("Grüße"));
    EXPECT_THAT(reader.texts("/sequences/completion"), ElementsAre("an\nalle"));
    EXPECT_THAT(column<std::uint32_t>("/sequences/n_generated"), ElementsAre(2));
    EXPECT_THAT(column<double>("/sequences/ttft_s"), ElementsAre(0.75));
    EXPECT_EQ(attribute("/sequences/finish_reason", "flag_meanings"),
              storage::Value("none stop length context_full signal"));
}

TEST_F(Converted, TellsOfTheHostsAtStartAndEnd) {
    EXPECT_THAT(storage::Reader(path_).texts("/hosts/hostname"), ElementsAre("pi1", "pi2"));
    EXPECT_THAT(column<double>("/hosts/temperature_c"), ElementsAre(40, 40));
    EXPECT_THAT(column<double>("/hosts/temperature_end_c"), ElementsAre(60, 61));
    EXPECT_THAT(column<std::uint32_t>("/hosts/n_threads"), ElementsAre(4, 4));
    EXPECT_THAT(column<double>("/hosts/clock_offset_s"), ElementsAre(0, 10));
    EXPECT_THAT(column<double>("/hosts/clock_uncertainty_s"), ElementsAre(0, 0.03125));
}

TEST_F(Converted, TellsOfTheRanksShares) {
    EXPECT_THAT(column<double>("/hosts/split_share"), ElementsAre(1, 1.5));
    EXPECT_TRUE(std::isnan(column<double>("/hosts/split_bytes_per_s")[0]));
    EXPECT_THAT(column<std::uint64_t>("/hosts/layer_bytes"), ElementsAre(1000, 1100));
    EXPECT_THAT(column<std::uint64_t>("/hosts/kv_bytes"), ElementsAre(0, 0));
    EXPECT_THAT(column<std::uint64_t>("/hosts/n_heads"), ElementsAre(1, 2));
}

TEST_F(Converted, SumsCollectivesByPhaseKindAndSize) {
    EXPECT_THAT(column<std::uint8_t>("/collectives/phase"), ElementsAre(0, 0, 0, 1, 1, 1));
    EXPECT_THAT(column<std::uint8_t>("/collectives/kind"), ElementsAre(0, 1, 2, 0, 1, 2));
    EXPECT_THAT(column<std::uint32_t>("/collectives/bytes"), ElementsAre(16, 128, 24, 16, 128, 24));
    EXPECT_THAT(column<std::uint64_t>("/collectives/count"), ElementsAre(1, 1, 1, 2, 2, 2));
    EXPECT_EQ(column<double>("/collectives/wait_s")[4], 0.125);
    EXPECT_EQ(column<double>("/collectives/wire_s")[4], 0.125);
}

TEST(Convert, FillsInNothingForARankWhoseRecordsAreMissing) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    {
        JournalWriter journal(path + ".journal", false);
        journal.append(RecordType::header, encode(support::planted_header(2)));
        journal.append(RecordType::steps, support::encode_block_of({planted_step(0)[0]}));
        support::append_end(journal, 0, 1002);
    }
    const Conversion result = convert(path + ".journal", path);
    EXPECT_EQ(result.n_steps, 1);
    EXPECT_FALSE(result.complete);
    const storage::Reader reader(path);
    EXPECT_EQ(reader.column<double>("/ranks/compute_s")[0], 0.375);
    EXPECT_TRUE(std::isnan(reader.column<double>("/ranks/compute_s")[1]));
    EXPECT_TRUE(std::isnan(reader.column<double>("/ranks/wait_s")[1]));
}

TEST(Convert, FindsARanksStepsAgainAfterOneThatItLost) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    std::vector<RankSteps> block(2);
    block[1].rank = 1;
    for (std::uint64_t n = 0; n < 3; ++n) {
        StepHead head;
        head.counts.step = n;
        head.end_s = 1 + static_cast<double>(n);
        support::plant_step(block[0], head, {{0.0, 0.5, 8, CollectiveKind::gather}});
        if (n != 1) support::plant_step(block[1], head, {{0.25, 0.5, 8, CollectiveKind::gather}});
    }
    {
        JournalWriter journal(path + ".journal", false);
        journal.append(RecordType::header, encode(support::planted_header(2)));
        journal.append(RecordType::steps, support::encode_block_of(block));
    }
    convert(path + ".journal", path);
    const auto compute_s = storage::Reader(path).column<double>("/ranks/compute_s");
    EXPECT_EQ(compute_s[1], 0.75);
    EXPECT_TRUE(std::isnan(compute_s[3]));
    EXPECT_EQ(compute_s[5], 2.75);
}

TEST(Convert, HoldsTheLongestReplyOfARank) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    std::vector<RankSteps> block(2);
    block[1].rank = 1;
    StepHead head;
    head.end_s = 1;
    support::plant_step(block[0], head, {{0.0, 0.5, 8, CollectiveKind::gather}});
    support::plant_step(block[1], head, {{0.0, 0.5, 20, CollectiveKind::gather}});
    {
        JournalWriter journal(path + ".journal", false);
        journal.append(RecordType::header, encode(support::planted_header(2)));
        journal.append(RecordType::steps, support::encode_block_of(block));
    }
    convert(path + ".journal", path);
    const storage::Reader reader(path);
    EXPECT_THAT(reader.column<std::uint32_t>("/steps/reply_bytes"), ElementsAre(20));
    EXPECT_THAT(reader.column<std::uint32_t>("/steps/request_bytes"), ElementsAre(0));
}

/// What is said of a journal with this header.
std::string refusal_of(const std::string& header) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    JournalWriter(path + ".journal", false).append(RecordType::header, header);
    try {
        convert(path + ".journal", path);
    } catch (const FormatError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Convert, RefusesAJournalOfAnotherVersionOrWithOtherSteps) {
    Header header = support::planted_header(1);
    std::string other_steps = encode(header);
    other_steps[4] = static_cast<char>(other_steps[4] ^ 1); // the second number
    EXPECT_THAT(refusal_of(other_steps),
                HasSubstr("is 4, but other things are recorded of a step"));
    header.version = 1;
    EXPECT_THAT(refusal_of(encode(header)),
                HasSubstr("is 1; this pillar reads journals of version 4"));
}

/// Convert under a limit on file sizes; exit with the error's code.
[[noreturn]] void convert_with_limit(const std::string& journal, const std::string& path,
                                     rlim_t limit) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit bound{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &bound);
    try {
        convert(journal, path);
    } catch (const IoError& error) {
        std::exit(static_cast<int>(error.code()));
    }
    std::exit(0);
}

TEST(Convert, OnAFullMediumEndsInOrderAndLeavesOnlyTheJournal) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    write_planted_run(path + ".journal");
    for (const rlim_t limit : {1000u, 10000u, 30000u}) {
        EXPECT_EXIT(convert_with_limit(path + ".journal", path, limit),
                    ::testing::ExitedWithCode(74), "");
        EXPECT_FALSE(std::filesystem::exists(path));
        EXPECT_FALSE(std::filesystem::exists(path + ".part"));
        EXPECT_TRUE(std::filesystem::exists(path + ".journal"));
    }
}

} // namespace
} // namespace pillar::recording
