// Files that look like traces and are none are refused with the place that is wrong.

#include "pillar/trace/reader.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/storage/writer.hpp"
#include "pillar/trace/convert.hpp"
#include "support/column_of.hpp"
#include "support/planted_trace.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::trace {
namespace {

using support::column_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal_of(const std::string& path) {
    try {
        (void)read_trace(path);
    } catch (const FormatError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Reader, GivesBackThePlantedRun) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    support::write_planted_run(path + ".journal");
    recover(path + ".journal", false);
    const Trace trace = read_trace(path);
    EXPECT_TRUE(trace.is_complete);
    EXPECT_EQ(trace.created, "2025-12-31T23:59:59Z");
    EXPECT_EQ(trace.config.text<"model">(), "tiny");
    EXPECT_EQ(trace.config.get<"n_layers">(), 2);
    EXPECT_EQ(trace.config.get<"temperature">(), 0.5);
    EXPECT_EQ(trace.config.get<"dim">(), std::nullopt);
    EXPECT_THAT(trace.unknown_keys, IsEmpty());
    EXPECT_THAT(trace.split_shares(), ElementsAre(1, 1.5));
    EXPECT_EQ(trace.hosts[1].share.layer_bytes, 1100);
    EXPECT_EQ(trace.hosts[1].hostname, "pi2");
    EXPECT_THAT(column_of(trace.steps, &StepRow::step), ElementsAre(0, 1, 2));
    EXPECT_THAT(column_of(trace.steps, &StepRow::phase),
                ElementsAre(Phase::prefill, Phase::decode, Phase::decode));
    EXPECT_THAT(column_of(trace.ranks, &RankRow::wait_s), ElementsAre(0, 0.25, 0, 0.25, 0, 0.25));
    EXPECT_THAT(column_of(trace.steps, &StepRow::trace_bytes), ElementsAre(120, 150, 0));
    EXPECT_THAT(column_of(trace.steps, &StepRow::n_attended), ElementsAre(15, 6, 7));
    EXPECT_THAT(column_of(trace.steps, &StepRow::n_cached), ElementsAre(5, 6, 7));
    EXPECT_THAT(column_of(trace.steps, &StepRow::request_bytes), ElementsAre(16, 16, 16));
    EXPECT_THAT(column_of(trace.steps, &StepRow::reply_bytes), ElementsAre(24, 24, 24));
}

TEST(Reader, RefusesAForeignFileAndALaterVersion) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    {
        storage::File file(path);
        file.close();
    }
    EXPECT_THAT(refusal_of(path), AllOf(HasSubstr("x.h5"), HasSubstr("pillar-trace")));
    storage::File file(path);
    file.root().attribute("format", "pillar-trace");
    file.root().attribute("format_version", 3);
    file.close();
    EXPECT_THAT(refusal_of(path), HasSubstr("is 3; this pillar reads versions 1 and 2"));
}

TEST(Reader, RefusesAValueOfAnotherType) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    storage::File file(path);
    file.root().attribute("format", "pillar-trace");
    file.root().attribute("format_version", 2);
    file.root().group("config").attribute("dim", "64");
    storage::Group hosts = file.root().group("hosts");
    storage::Column none = hosts.column<std::uint32_t>("rank", {});
    none.finish();
    file.close();
    EXPECT_THAT(refusal_of(path),
                AllOf(HasSubstr("x.h5"), HasSubstr("/config dim"), HasSubstr("is no int64")));
}

TEST(Reader, NamesTheColumnThatIsMissingOrOfAnotherLength) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    storage::File file(path);
    file.root().attribute("format", "pillar-trace");
    file.root().attribute("format_version", 2);
    storage::Group config = file.root().group("config");
    storage::Group hosts = file.root().group("hosts");
    storage::Column rank = hosts.column<std::uint32_t>("rank", {});
    rank.append<std::uint32_t>(0);
    rank.finish();
    storage::Column n_threads = hosts.column<std::uint32_t>("n_threads", {});
    n_threads.finish();
    file.close();
    EXPECT_THAT(refusal_of(path),
                AllOf(HasSubstr("/hosts/n_threads"), HasSubstr("0 elements instead of 1")));
}

} // namespace
} // namespace pillar::trace
