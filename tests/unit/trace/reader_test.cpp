// Files that look like traces and are none are refused with the place that is wrong.

#include "pillar/trace/reader.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/storage/writer.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::trace {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal_of(const std::string& path) {
    try {
        (void)read_trace(path);
    } catch (const FormatError& error) {
        return error.what();
    }
    return "nothing was thrown";
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
