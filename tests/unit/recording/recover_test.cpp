// A journal that a run left behind becomes a file up to its last whole record.

#include "pillar/core/errors.hpp"
#include "pillar/recording/convert.hpp"
#include "pillar/storage/reader.hpp"
#include "support/planted_trace.hpp"
#include "support/temporary_directory.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <set>

namespace pillar::recording {
namespace {

using support::TemporaryDirectory;
using support::write_planted_run;
using ::testing::HasSubstr;

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Steps, tokens and sequences in the first `length` bytes, by walking the records' lengths.
Conversion expected_rows(const std::string& bytes, std::size_t length) {
    Conversion rows;
    for (std::size_t at = 8; at + 24 <= length;) {
        std::uint32_t type = 0;
        std::uint64_t size = 0;
        std::memcpy(&type, bytes.data() + at, 4);
        std::memcpy(&size, bytes.data() + at + 8, 8);
        at += 24 + size;
        if (at > length) break;
        rows.n_steps += type == static_cast<std::uint32_t>(RecordType::steps);
        rows.n_tokens += type == static_cast<std::uint32_t>(RecordType::tokens) ? size / 40 : 0;
        rows.n_sequences += type == static_cast<std::uint32_t>(RecordType::sequence);
    }
    return rows;
}

/// Around every record's border, and places between.
std::set<std::size_t> places_to_cut(const std::string& bytes) {
    std::set<std::size_t> places;
    for (std::size_t at = 8; at < bytes.size();) {
        places.insert({at - 1, at, at + 1});
        std::uint64_t size = 0;
        std::memcpy(&size, bytes.data() + at + 8, 8);
        at += 24 + size;
    }
    for (std::size_t at = 0; at < bytes.size(); at += 149) places.insert(at);
    places.insert(bytes.size() - 1);
    return places;
}

TEST(Recover, OfAJournalCutShortKeepsEveryWholeRecord) {
    const TemporaryDirectory directory;
    const std::string whole = directory.file("whole.journal");
    write_planted_run(whole);
    const std::string bytes = bytes_of(whole);
    const std::size_t header_end = 8 + 24 + encode(support::planted_header(2)).size();
    const std::string path = directory.file("cut.h5");
    const std::string journal = path + ".journal";
    for (const std::size_t length : places_to_cut(bytes)) {
        std::ofstream(journal, std::ios::binary) << bytes.substr(0, length);
        if (length < header_end) {
            EXPECT_THROW(recover(journal, true), FormatError) << length;
            EXPECT_TRUE(std::filesystem::exists(journal));
            continue;
        }
        const Conversion rows = recover(journal, true);
        const Conversion expected = expected_rows(bytes, length);
        EXPECT_EQ(rows.n_steps, expected.n_steps) << length;
        EXPECT_EQ(rows.n_tokens, expected.n_tokens) << length;
        EXPECT_EQ(rows.n_sequences, expected.n_sequences) << length;
        EXPECT_FALSE(rows.complete);
        EXPECT_FALSE(std::filesystem::exists(journal));
        const storage::Reader reader(path);
        EXPECT_EQ(reader.column<double>("/steps/duration_s").size(), expected.n_steps);
        EXPECT_EQ(reader.attribute("/", "trace_complete"), storage::Value(std::int64_t{0}));
    }
}

TEST(Recover, LeavesAnExistingFileAloneUnlessForced) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    write_planted_run(path + ".journal");
    std::ofstream(path) << "precious";
    try {
        recover(path + ".journal", false);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::cannot_create);
        EXPECT_THAT(error.what(), HasSubstr("--force"));
    }
    EXPECT_EQ(bytes_of(path), "precious");
    EXPECT_TRUE(recover(path + ".journal", true).complete);
    EXPECT_THROW(recover(path + ".journal", true), IoError); // it is gone now
    EXPECT_THROW(recover(path, true), UsageError);
}

TEST(Recover, WaitsForTheRunThatStillWrites) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    JournalWriter journal(path, false);
    journal.append(RecordType::header, encode(support::planted_header(1)));
    try {
        recover(path, false);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::refused);
    }
}

} // namespace
} // namespace pillar::recording
