// What is written comes back: columns of every type, across chunk borders, attributes, texts.

#include "pillar/storage/reader.hpp"
#include "pillar/storage/writer.hpp"
#include "support/temporary_directory.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

namespace pillar::storage {
namespace {

using support::TemporaryDirectory;
using ::testing::ElementsAre;

template <class T>
class ColumnOf : public ::testing::Test {};
using Types = ::testing::Types<std::uint8_t, std::uint32_t, std::uint64_t, std::int32_t,
                               std::int64_t, float, double>;
TYPED_TEST_SUITE(ColumnOf, Types);

TYPED_TEST(ColumnOf, KeepsEveryValueAcrossChunkBorders) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    for (const std::size_t n : {0u, 1u, 4095u, 4096u, 4097u, 10000u}) {
        std::vector<TypeParam> values(n);
        for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<TypeParam>(i * 37 % 251);
        File file(path);
        Column column = file.root().column<TypeParam>("values", {});
        const std::span<const TypeParam> all(values);
        for (std::size_t i = 0; i < n; i += 777) {
            column.append(all.subspan(i, std::min<std::size_t>(777, n - i)));
        }
        column.finish();
        file.close();
        EXPECT_EQ(Reader(path).column<TypeParam>("/values"), values) << n;
    }
}

TEST(Storage, KeepsRowsOfTableColumns) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    std::vector<double> values(3 * 30001);
    std::iota(values.begin(), values.end(), 0.5);
    File file(path);
    Group group = file.root().group("ranks");
    Column column = group.column<double>("wait_s", {.units = "s"}, 3);
    column.append(std::span<const double>(values).first(9));
    column.append(std::span<const double>(values).subspan(9));
    column.finish();
    file.close();
    const Reader reader(path);
    EXPECT_THAT(reader.shape("/ranks/wait_s"), ElementsAre(30001, 3));
    EXPECT_EQ(reader.column<double>("/ranks/wait_s"), values);
}

TEST(Storage, KeepsAttributesOfEveryKind) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    File file(path);
    Group config = file.root().group("config");
    config.attribute("model", "Käse 🧀");
    config.attribute("empty", "");
    config.attribute("long", std::string(100000, 'x'));
    config.attribute("n_ranks", 4);
    config.attribute("seed", std::uint64_t{1} << 40);
    config.attribute("temperature", 0.1);
    file.close();
    const Reader reader(path);
    EXPECT_EQ(std::get<std::string>(*reader.attribute("/config", "model")), "Käse 🧀");
    EXPECT_EQ(std::get<std::string>(*reader.attribute("/config", "empty")), "");
    EXPECT_EQ(std::get<std::string>(*reader.attribute("/config", "long")).size(), 100000);
    EXPECT_EQ(std::get<std::int64_t>(*reader.attribute("/config", "n_ranks")), 4);
    EXPECT_EQ(std::get<std::int64_t>(*reader.attribute("/config", "seed")), std::int64_t{1} << 40);
    EXPECT_EQ(std::get<double>(*reader.attribute("/config", "temperature")), 0.1);
    EXPECT_EQ(reader.attribute("/config", "absent"), std::nullopt);
    EXPECT_EQ(reader.attributes("/config").size(), 6);
}

TEST(Storage, KeepsTextsAndRepairsWhatIsNoUtf8) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    File file(path);
    TextColumn column = file.root().text_column("completion", {.long_name = "text"});
    column.append("");
    column.append("Grüße\n");
    column.append(std::string("a\0b", 3));
    column.append("cut \xE2\x82");
    column.finish();
    file.close();
    EXPECT_THAT(Reader(path).texts("/completion"),
                ElementsAre("", "Grüße\n", "a\uFFFDb", "cut \uFFFD"));
}

TEST(Storage, NamesTheMeaningsOfAnEnumeration) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    File file(path);
    Column phase = file.root().column<std::uint8_t>("phase", {.meanings = {"prefill", "decode"}});
    phase.finish();
    file.close();
    const Reader reader(path);
    EXPECT_EQ(std::get<std::string>(*reader.attribute("/phase", "flag_meanings")),
              "prefill decode");
}

TEST(Storage, TellsWhatIsInAFile) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    File file(path);
    Group group = file.root().group("steps");
    Column step = group.column<std::uint64_t>("step", {});
    Column rank = group.column<std::uint32_t>("rank", {});
    group.make_scale(step, "step");
    group.make_scale(rank, "rank");
    Column wait_s = group.column<double>("wait_s", {}, 2);
    group.attach(wait_s, step, 0);
    group.attach(wait_s, rank, 1);
    TextColumn name = group.text_column("name", {});
    Column phase = group.column<std::uint8_t>("phase", {});
    for (Column* column : {&step, &rank, &wait_s, &phase}) column->finish();
    name.finish();
    file.close();
    const Reader reader(path);
    EXPECT_EQ(reader.members("/"), std::vector<std::string>{"steps"});
    EXPECT_EQ(reader.members("/steps"),
              (std::vector<std::string>{"name", "phase", "rank", "step", "wait_s"}));
    EXPECT_EQ(reader.type("/steps/step"), Type::u64);
    EXPECT_EQ(reader.type("/steps/rank"), Type::u32);
    EXPECT_EQ(reader.type("/steps/wait_s"), Type::f64);
    EXPECT_EQ(reader.type("/steps/phase"), Type::u8);
    EXPECT_EQ(reader.type("/steps/name"), std::nullopt);
    EXPECT_EQ(reader.dimension("/steps/step", 0), "step");
    EXPECT_EQ(reader.dimension("/steps/wait_s", 0), "step");
    EXPECT_EQ(reader.dimension("/steps/wait_s", 1), "rank");
    EXPECT_EQ(reader.dimension("/steps/phase", 0), "");
}

TEST(ValidUtf8, LeavesCharactersOfEveryLengthAlone) {
    for (const char* text : {"", "a", "\x7F", "ß", "\u07FF", "\u0800", "€", "\uD7FF", "\uE000",
                             "\uFFFD", "\U00010000", "🧀", "\U0010FFFF"}) {
        EXPECT_EQ(stored_text(text), text);
    }
}

TEST(ValidUtf8, ReplacesOverlongSurrogateAndTooLargeForms) {
    EXPECT_EQ(stored_text("\xC0\x80"), "\uFFFD\uFFFD");           // overlong NUL
    EXPECT_EQ(stored_text("\xE0\x80\xAF"), "\uFFFD\uFFFD\uFFFD"); // overlong slash
    EXPECT_EQ(stored_text("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD"); // surrogate
    EXPECT_EQ(stored_text("\xF4\x90\x80\x80").size(), 4u * 3u);   // above U+10FFFF
    EXPECT_EQ(stored_text("\xFFok"), "\uFFFDok");
    EXPECT_EQ(stored_text("\x80"), "\uFFFD");
}

} // namespace
} // namespace pillar::storage
