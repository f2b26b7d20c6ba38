// Files that look like traces and are none are refused with the place that is wrong.

#include "pillar/trace/reader.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/storage/writer.hpp"
#include "pillar/trace/convert.hpp"
#include "support/planted_trace.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::trace {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
    EXPECT_EQ(config_text(trace, "model"), "tiny");
    EXPECT_EQ(config_text(trace, "n_layers"), "2");
    EXPECT_EQ(config_text(trace, "absent"), "");
    EXPECT_EQ(trace.hosts[1].hostname, "pi2");
    EXPECT_THAT(trace.step, ElementsAre(0, 1, 2));
    EXPECT_THAT(trace.phase, ElementsAre(0, 1, 1));
    EXPECT_THAT(trace.wait_s, ElementsAre(0, 0.25, 0, 0.25, 0, 0.25));
    EXPECT_THAT(trace.trace_bytes, ElementsAre(120, 150, 0));
    EXPECT_THAT(trace.n_attended, ElementsAre(15, 6, 7));
    EXPECT_THAT(trace.n_cached, ElementsAre(5, 6, 7));
    EXPECT_THAT(trace.request_bytes, ElementsAre(16, 16, 16));
    EXPECT_THAT(trace.reply_bytes, ElementsAre(24, 24, 24));
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
    file.root().attribute("format_version", 2);
    file.close();
    EXPECT_THAT(refusal_of(path), HasSubstr("is 2; this pillar reads version 1"));
}

TEST(Reader, NamesTheColumnThatIsMissingOrOfAnotherLength) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    storage::File file(path);
    file.root().attribute("format", "pillar-trace");
    file.root().attribute("format_version", 1);
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
