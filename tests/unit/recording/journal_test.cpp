// The journal keeps whole records through everything that can happen to a file.

#include "journal/journal.hpp"

#include "support/planted_trace.hpp"
#include "support/temporary_directory.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/resource.h>

namespace pillar::recording {
namespace {

using support::TemporaryDirectory;
using ::testing::HasSubstr;

const std::vector<std::string> payloads{"", "a", "header text", std::string(5000, 'x'), "end"};

void write_payloads(const std::string& path) {
    JournalWriter journal(path, false);
    for (const std::string& payload : payloads) {
        EXPECT_TRUE(journal.append(RecordType::sequence, payload));
    }
}

/// Reads until the reader stops; every record must be one of the planted ones, in order.
std::size_t count_records(const std::string& path) {
    JournalReader journal(path);
    std::size_t n = 0;
    while (const auto record = journal.next()) {
        EXPECT_LT(n, payloads.size());
        if (n >= payloads.size()) break;
        const std::string text(reinterpret_cast<const char*>(record->payload.data()),
                               record->payload.size());
        EXPECT_EQ(text, payloads[n]);
        EXPECT_EQ(record->type, RecordType::sequence);
        ++n;
    }
    return n;
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void put_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

TEST(Journal, GivesBackWhatWasAppended) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    write_payloads(path);
    EXPECT_EQ(count_records(path), payloads.size());
    JournalReader journal(path);
    while (journal.next()) {
    }
    EXPECT_EQ(journal.n_bytes_damaged(), 0);
}

TEST(Journal, CutAnywhereKeepsTheWholeRecordsBefore) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    write_payloads(path);
    const std::string bytes = bytes_of(path);
    const std::string cut = directory.file("cut.h5.journal");
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        put_bytes(cut, bytes.substr(0, length));
        if (length < 8) {
            EXPECT_THROW(count_records(cut), FormatError);
            continue;
        }
        std::size_t n_whole = 0;
        for (std::size_t end = 8; n_whole < payloads.size(); ++n_whole) {
            end += 24 + payloads[n_whole].size();
            if (end > length) break;
        }
        EXPECT_EQ(count_records(cut), n_whole) << length;
    }
}

TEST(Journal, StopsAtTheRecordWithAFlippedBit) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    write_payloads(path);
    const std::string bytes = bytes_of(path);
    const std::string flipped = directory.file("flipped.h5.journal");
    for (std::size_t place = 8; place < bytes.size(); ++place) {
        std::string damaged = bytes;
        damaged[place] = static_cast<char>(damaged[place] ^ (1 << (place % 8)));
        put_bytes(flipped, damaged);
        std::size_t n_before = 0;
        for (std::size_t end = 8; n_before < payloads.size(); ++n_before) {
            end += 24 + payloads[n_before].size();
            if (end > place) break;
        }
        EXPECT_EQ(count_records(flipped), n_before) << place;
    }
}

TEST(Journal, RefusesAFileThatIsNoJournal) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    put_bytes(path, "something else that is long enough");
    EXPECT_THROW(JournalReader journal(path), FormatError);
    EXPECT_THROW(JournalReader journal(directory.file("absent")), IoError);
}

TEST(Journal, IsNotWrittenOverUnlessToldTo) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    write_payloads(path);
    try {
        const JournalWriter journal(path, false);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::cannot_create);
        EXPECT_THAT(error.what(), HasSubstr("x.h5.journal"));
    }
    EXPECT_EQ(count_records(path), payloads.size());
    { const JournalWriter journal(path, true); }
    EXPECT_EQ(count_records(path), 0);
}

TEST(Journal, IsKnownToBeInUseWhileItIsWritten) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    {
        const JournalWriter journal(path, false);
        EXPECT_TRUE(JournalReader(path).is_being_written());
        EXPECT_THROW(JournalWriter second(path, true), IoError);
    }
    EXPECT_FALSE(JournalReader(path).is_being_written());
}

/// Appends until the limit on file sizes stops it; exits with the number of records that were
/// taken.
[[noreturn]] void append_until_full(const std::string& path) {
    std::signal(SIGXFSZ, SIG_IGN);
    JournalWriter journal(path, false);
    const rlimit limit{1050, 1050}; // 50 bytes into the ninth record
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int n = 0;
    while (journal.append(RecordType::tokens, std::string(100, 't'))) ++n;
    const bool refuses_more = !journal.append(RecordType::end, std::string());
    std::_Exit(refuses_more && journal.failure() == EFBIG ? n : 100);
}

TEST(Journal, OnAFullMediumKeepsWhatItHasAndRefusesTheRest) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5.journal");
    EXPECT_EXIT(append_until_full(path), ::testing::ExitedWithCode(8), "");
    EXPECT_EQ(std::filesystem::file_size(path), 8 + 8 * 124); // the torn record is cut off
    JournalReader journal(path);
    int n = 0;
    while (journal.next()) ++n;
    EXPECT_EQ(n, 8);
    EXPECT_EQ(journal.n_bytes_damaged(), 0);
}

template <class Decode>
void expect_no_crash(const std::string& payload, Decode&& decode) {
    const Origin origin{"x.h5.journal", 8};
    for (std::size_t length = 0; length <= payload.size(); ++length) {
        try {
            decode(std::as_bytes(std::span(payload).first(length)), origin);
        } catch (const FormatError&) {
            continue;
        }
        const bool is_whole = length == payload.size() || length % 40 == 0; // tokens
        EXPECT_TRUE(is_whole) << length;
    }
    for (std::size_t place = 0; place < payload.size(); ++place) {
        std::string damaged = payload;
        damaged[place] = '\xFF';
        try {
            decode(std::as_bytes(std::span(damaged)), origin);
        } catch (const FormatError& error) {
            EXPECT_THAT(error.what(), HasSubstr("x.h5.journal"));
        }
    }
}

TEST(Records, ThatAreTornOrChangedUnderAGoodChecksumAreRefusedInASentence) {
    RankSteps rank;
    support::plant_step(rank, {}, {{1, 2, 64, CollectiveKind::allreduce}});
    const auto hosts = support::planted_hosts(HostList::Moment::start, 2);
    expect_no_crash(encode(support::planted_header(2)),
                    [](auto bytes, auto& origin) { (void)decode_header(bytes, origin); });
    expect_no_crash(encode(hosts),
                    [](auto bytes, auto& origin) { (void)decode_hosts(bytes, origin); });
    expect_no_crash(encode(ClockSample{1, {{0, 0}, {1, 1}}}),
                    [](auto bytes, auto& origin) { (void)decode_clocks(bytes, origin); });
    expect_no_crash(support::encode_block_of({rank, rank}),
                    [](auto bytes, auto& origin) { (void)decode_steps(bytes, origin); });
    expect_no_crash(encode(engine::SequenceRecord{1, "p", "c", 2, 3, 0.5, {}}),
                    [](auto bytes, auto& origin) { (void)decode_sequence(bytes, origin); });
    const std::vector<TokenEntry> tokens(2);
    const std::string token_bytes(reinterpret_cast<const char*>(tokens.data()), 80);
    expect_no_crash(token_bytes,
                    [](auto bytes, auto& origin) { (void)decode_tokens(bytes, origin); });
}

TEST(Records, ComeBackAsTheyWere) {
    const Origin origin{"x", 0};
    const Header header = support::planted_header(3);
    const std::string packed = encode(header);
    const Header back = decode_header(std::as_bytes(std::span(packed)), origin);
    EXPECT_EQ(back.n_ranks, 3);
    EXPECT_EQ(back.command_line, header.command_line);
    EXPECT_EQ(back.config.get<"model">(), "tiny");
    EXPECT_EQ(back.config.get<"n_layers">(), 2);
    EXPECT_EQ(back.config.get<"temperature">(), 0.5);
    EXPECT_EQ(back.config.get<"dim">(), std::nullopt);
    ASSERT_EQ(back.shares.size(), 3);
    EXPECT_EQ(back.shares[2].layer_bytes, 1200);
}

} // namespace
} // namespace pillar::recording
