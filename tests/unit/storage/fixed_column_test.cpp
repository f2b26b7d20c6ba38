// Columns that are written in place: any order, again, and after a writer that never closed its
// file.

#include "pillar/core/errors.hpp"
#include "pillar/storage/reader.hpp"
#include "pillar/storage/writer.hpp"
#include "support/temporary_directory.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace pillar::storage {
namespace {

using support::TemporaryDirectory;
using ::testing::ElementsAre;

TEST(FixedColumn, RowsAreWrittenInAnyOrderAndAgain) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    File file(path);
    FixedColumn column = file.root().fixed_column<float>("rows", {.long_name = "rows"}, 3, 2);
    const auto write = [&](std::size_t row, std::vector<float> values) {
        column.write(row, std::span<const float>(values));
    };
    write(1, {3, 4, 5, 6});
    write(0, {9, 9});
    write(0, {1, 2});
    column.finish();
    file.close();
    const Reader reader(path);
    EXPECT_THAT(reader.shape("/rows"), ElementsAre(3, 2));
    EXPECT_THAT(reader.column<float>("/rows"), ElementsAre(1, 2, 3, 4, 5, 6));
    std::vector<float> two(4);
    reader.rows("/rows", 1, std::span(two));
    EXPECT_THAT(two, ElementsAre(3, 4, 5, 6));
    EXPECT_THROW(reader.rows("/rows", 2, std::span(two)), FormatError);
}

TEST(FixedColumn, AFileThatWasNeverClosedIsGoneOnWith) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5"), left = directory.file("left.h5");
    const std::vector<double> first{1.5}, second{2.5};
    File file(path);
    FixedColumn column = file.root().fixed_column<double>("numbers", {}, 2);
    file.root().attribute("kind", "test");
    column.write(0, std::span(first));
    file.sync();
    std::filesystem::copy_file(path, left); // what a kill would leave
    {
        File again(File::ToGoOn(), left);
        EXPECT_THROW((void)again.root().open_fixed_column<double>("numbers", 3), FormatError);
        EXPECT_THROW((void)again.root().open_fixed_column<double>("none", 2), Error);
        FixedColumn numbers = again.root().open_fixed_column<double>("numbers", 2);
        numbers.write(1, std::span(second));
        numbers.finish();
        again.close();
    }
    const Reader reader(left);
    EXPECT_EQ(reader.attribute("/", "kind"), Value(std::string("test")));
    EXPECT_THAT(reader.column<double>("/numbers"), ElementsAre(1.5, 2.5));
    column.finish();
    file.close();
}

} // namespace
} // namespace pillar::storage
