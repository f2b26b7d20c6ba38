// Every malformed file of the list: the verdict, the sentence, and what it costs to find out.

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"
#include "support/malformed/malformed.hpp"
#include "support/models/tiny_model.hpp"
#include "unit/gguf/allocation_counter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>

namespace {

using namespace pillar;
using support::MalformedCase;
using support::Owner;
using support::Verdict;

struct Outcome {
    std::optional<FormatError> error;
    std::size_t n_warnings = 0;
    std::uint64_t allocated = 0;
    double seconds = 0; ///< of processor time
};

/// What parsing a file of this size may allocate in all, freed again or not. The shortest pairs of
/// 15 bytes set the factor: each becomes an entry, a node of the index and its share of growing.
std::uint64_t allowed_bytes(std::size_t file_bytes) {
    return 20 * file_bytes + (1u << 20);
}

/// Of this thread, whatever else the machine is busy with.
double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Outcome parse_bytes(const std::string& bytes) {
    Outcome outcome;
    const double start = processor_seconds();
    const std::uint64_t before = support::allocated_bytes();
    try {
        const auto directory =
            gguf::parse(std::as_bytes(std::span(bytes)), bytes.size(), "model.gguf");
        outcome.n_warnings = directory.warnings.size();
    } catch (const FormatError& error) {
        outcome.error = error;
    }
    outcome.allocated = support::allocated_bytes() - before;
    outcome.seconds = processor_seconds() - start;
    return outcome;
}

bool is_one_printable_line(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

void expect_refusal(const FormatError& error, const MalformedCase& entry, std::size_t n_bytes) {
    const std::string sentence = error.what();
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_TRUE(is_one_printable_line(sentence)) << sentence;
    EXPECT_EQ(sentence.find("model.gguf: "), 0u) << sentence;
    EXPECT_TRUE(support::names_field(sentence, entry.field)) << sentence;
    EXPECT_LT(sentence.size(), 600u);
    ASSERT_TRUE(error.offset.has_value()) << sentence;
    EXPECT_LE(*error.offset, n_bytes) << sentence;
}

void expect_verdict(const MalformedCase& entry, const std::string& bytes) {
    const Outcome outcome = parse_bytes(bytes);
    EXPECT_LE(outcome.seconds, 1.0);
    EXPECT_LE(outcome.allocated, allowed_bytes(bytes.size()));
    if (entry.owner != Owner::gguf || entry.verdict != Verdict::refuse) {
        EXPECT_FALSE(outcome.error.has_value()) << outcome.error->what();
    } else if (outcome.error) {
        expect_refusal(*outcome.error, entry, bytes.size());
    } else {
        ADD_FAILURE() << "was accepted";
    }
    const bool warns = entry.owner == Owner::gguf && entry.verdict == Verdict::warn;
    EXPECT_EQ(outcome.n_warnings > 0, warns);
}

TEST(Malformed, EveryCaseGetsItsVerdictAtSmallCost) {
    for (const MalformedCase& entry : support::malformed_cases()) {
        SCOPED_TRACE(entry.name);
        expect_verdict(entry, entry.bytes());
    }
}

TEST(Malformed, RandomCasesGetTheirVerdictForEverySeed) {
    for (std::uint64_t seed = 2; seed <= 20; ++seed)
        for (const MalformedCase& entry : support::malformed_cases(seed)) {
            const bool is_random =
                entry.family == "metadata" || entry.family == "tensors" || entry.family == "data";
            if (!is_random) continue;
            SCOPED_TRACE(entry.name + " seed " + std::to_string(seed));
            expect_verdict(entry, entry.bytes());
        }
}

TEST(Malformed, NamesAreUniqueAndRefusalsSayWhatTheyName) {
    std::set<std::string> names;
    for (const MalformedCase& entry : support::malformed_cases()) {
        EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
        const bool needs_field =
            entry.verdict == Verdict::refuse && entry.class_name != "cut-in-header";
        EXPECT_TRUE(!needs_field || !entry.field.empty()) << entry.name;
    }
}

TEST(Malformed, TableOnTheDocumentedPageIsTheListOfCases) {
    std::ifstream page(PILLAR_TEST_DATA "/../unit/gguf/malformed_classes.md");
    std::stringstream text;
    text << page.rdbuf();
    const bool is_current = text.str() == support::malformed_table(support::malformed_cases());
    EXPECT_TRUE(is_current) << "make_malformed --table tests/unit/gguf/malformed_classes.md";
}

TEST(Malformed, EveryCutOfASmallModelIsRefused) {
    const std::string bytes =
        support::build_tiny_model({.n_layers = 1, .dim = 32, .ffn = 32}).bytes();
    for (std::size_t size = 0; size < bytes.size(); size += size < 16'000 ? 1 : 64) {
        const Outcome outcome = parse_bytes(bytes.substr(0, size));
        ASSERT_TRUE(outcome.error.has_value()) << size;
        ASSERT_EQ(outcome.error->code(), ExitCode::bad_data) << size;
        ASSERT_TRUE(is_one_printable_line(outcome.error->what())) << size;
    }
    EXPECT_FALSE(parse_bytes(bytes).error.has_value());
}

TEST(Malformed, EveryChangedByteOfASmallHeaderIsSurvived) {
    auto builder = support::build_tiny_model({.n_layers = 1, .dim = 32, .ffn = 32});
    const std::size_t header = builder.header().size();
    const std::string bytes = builder.bytes();
    for (std::size_t i = 0; i < header; ++i)
        for (const char change : {'\x01', '\x80', '\xFF'}) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ change);
            const Outcome outcome = parse_bytes(changed);
            ASSERT_LE(outcome.allocated, allowed_bytes(bytes.size())) << i;
        }
}

} // namespace
