// Records as programs read them: json against nlohmann's parser, csv against RFC 4180 written out.

#include "pillar/tables/writer.hpp"

#include "pillar/core/errors.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pillar::tables {
namespace {

Record example() {
    return {{"name", "says \"so\", twice"},
            {"bytes", std::uint64_t{1} << 63},
            {"shift", -3},
            {"time_s", 0.1},
            {"fits", true},
            {"power_w", std::optional<double>()},
            {"samples_s", std::vector<double>{0.25, 0.5}},
            {"decode", Record{{"total_s", 2.5}, {"bound", "bytes"}}}};
}

TEST(RecordWriter, WritesJsonThatReadsBack) {
    const std::vector<Record> records = {example(), example()};
    const auto read = nlohmann::ordered_json::parse(write(Format::json, records));
    ASSERT_EQ(read.size(), 2u);
    const auto& one = read[1];
    EXPECT_EQ(one["name"], "says \"so\", twice");
    EXPECT_EQ(one["bytes"], 9223372036854775808u);
    EXPECT_EQ(one["shift"], -3);
    EXPECT_EQ(one["time_s"], 0.1);
    EXPECT_EQ(one["fits"], true);
    EXPECT_TRUE(one["power_w"].is_null());
    EXPECT_EQ(one["samples_s"], (std::vector<double>{0.25, 0.5}));
    EXPECT_EQ(one["decode"]["bound"], "bytes");
    EXPECT_EQ(one.items().begin().key(), "name") << "fields keep their order";
}

TEST(RecordWriter, WritesAJsonObjectALine) {
    const std::vector<Record> records = {example(), {{"name", "line\nbreak"}}};
    const std::string text = write(Format::jsonl, records);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
    const std::string second = text.substr(text.find('\n') + 1);
    EXPECT_EQ(nlohmann::json::parse(second)["name"], "line\nbreak");
}

TEST(RecordWriter, WritesCsvWithColumnsOfRecordsAndWithoutLists) {
    const std::vector<Record> records = {example(), example()};
    EXPECT_EQ(write(Format::csv, records),
              "name,bytes,shift,time_s,fits,power_w,decode_total_s,decode_bound\n"
              "\"says \"\"so\"\", twice\",9223372036854775808,-3,0.1,true,,2.5,bytes\n"
              "\"says \"\"so\"\", twice\",9223372036854775808,-3,0.1,true,,2.5,bytes\n");
}

TEST(RecordWriter, QuotesEveryFieldWhereAsked) {
    const std::vector<Record> records = {{{"name", "a"}, {"n", 1}, {"none", std::nullopt}}};
    EXPECT_EQ(write(Format::csv, records, Quotes::always), "name,n,none\n\"a\",\"1\",\"\"\n");
}

TEST(RecordWriter, PiecesAreWhatTheWholeIs) {
    const std::vector<Record> records = {example(), example(), example()};
    for (const Format format : {Format::csv, Format::json, Format::jsonl}) {
        RecordWriter writer(format);
        std::string text = writer.header();
        for (const Record& record : records) text += writer.record(record);
        EXPECT_EQ(text + writer.footer(), write(format, records));
    }
}

TEST(RecordWriter, RepairsWhatIsNoUtf8) {
    const std::vector<Record> records = {{{"path", "a\xFF.gguf"}}};
    EXPECT_EQ(nlohmann::json::parse(write(Format::json, records))[0]["path"], "a\uFFFD.gguf");
    EXPECT_EQ(write(Format::csv, records), "path\na\uFFFD.gguf\n");
}

TEST(RecordWriter, HasNothingForWhatIsNotFinite) {
    const std::vector<Record> records = {
        {{"nan", std::nan("")}, {"infinite", HUGE_VAL}, {"finite", 0.5}}};
    EXPECT_EQ(write(Format::csv, records), "nan,infinite,finite\n,,0.5\n");
    const auto read = nlohmann::json::parse(write(Format::json, records))[0];
    EXPECT_TRUE(read["nan"].is_null());
    EXPECT_TRUE(read["infinite"].is_null());
}

TEST(Record, ReplacesAFieldOfTheSameName) {
    Record record = {{"a", 1}, {"b", 2}};
    record.set("a", 3.5);
    EXPECT_EQ(record["a"].number(), 3.5);
    EXPECT_EQ(record["b"].text(), "2");
    EXPECT_EQ(record.fields().size(), 2u);
    EXPECT_EQ(record.find("c"), nullptr);
    EXPECT_THROW((void)Value("text").number(), Error);
    EXPECT_THROW((void)Value(List()).text(), Error);
}

} // namespace
} // namespace pillar::tables
