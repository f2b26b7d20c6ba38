// Traces side by side, and the three texts made of them.

#include "pillar/report/render.hpp"

#include "pillar/core/errors.hpp"
#include "planted.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace pillar::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<trace::Trace> three_sizes() {
    return {planted({.path = "c.h5", .n_ranks = 4, .duration_s = 0.078125}),
            planted({.path = "a.h5", .n_ranks = 1}),
            planted({.path = "b.h5", .n_ranks = 2, .duration_s = 0.15625})};
}

TEST(ScalingTable, ComparesWithTheFewestRanks) {
    const auto tables = scaling_tables(three_sizes());
    ASSERT_THAT(tables, SizeIs(1));
    EXPECT_EQ(tables[0].model, "tiny q4_0");
    ASSERT_THAT(tables[0].rows, SizeIs(3));
    const ScalingRow& one = tables[0].rows[0];
    const ScalingRow& four = tables[0].rows[2];
    EXPECT_EQ(one.n_ranks, 1);
    EXPECT_DOUBLE_EQ(*one.speed_up, 1);
    EXPECT_FALSE(one.karp_flatt.has_value());
    EXPECT_EQ(four.n_ranks, 4);
    EXPECT_EQ(four.base_ranks, 1);
    EXPECT_DOUBLE_EQ(*four.speed_up, 3.2);
    EXPECT_DOUBLE_EQ(*four.efficiency, 0.8);
    EXPECT_DOUBLE_EQ(*four.karp_flatt, 0.0625 / 0.75);
}

TEST(ScalingTable, OfABaseCaseOfTwoRanksCountsItAsTwo) {
    auto traces = three_sizes();
    traces.erase(traces.begin() + 1);
    const auto tables = scaling_tables(traces);
    EXPECT_DOUBLE_EQ(*tables[0].rows[0].speed_up, 2);
    EXPECT_DOUBLE_EQ(*tables[0].rows[1].speed_up, 4);
    EXPECT_FALSE(tables[0].rows[1].karp_flatt.has_value());
}

std::vector<trace::Trace> of_sizes(const std::vector<std::array<std::uint32_t, 2>>& sizes,
                                   const std::vector<double>& durations_s) {
    std::vector<trace::Trace> traces;
    for (std::size_t i = 0; i < sizes.size(); ++i)
        traces.push_back(planted({.path = std::to_string(i) + ".h5",
                                  .n_ranks = sizes[i][0],
                                  .n_threads = sizes[i][1],
                                  .duration_s = durations_s[i]}));
    return traces;
}

TEST(ScalingTable, OfOneNumberOfRanksComparesThreads) {
    const auto tables =
        scaling_tables(of_sizes({{1, 10}, {1, 1}, {1, 2}}, {0.0625, 0.25, 0.15625}));
    ASSERT_THAT(tables[0].rows, SizeIs(3));
    const auto& rows = tables[0].rows;
    EXPECT_EQ(rows[2].threads, "10"); // by number
    for (const ScalingRow& row : rows) {
        EXPECT_TRUE(row.over_threads);
        EXPECT_EQ(row.base_threads, "1");
    }
    EXPECT_DOUBLE_EQ(*rows[0].speed_up, 1);
    EXPECT_DOUBLE_EQ(*rows[1].speed_up, 1.6);
    EXPECT_DOUBLE_EQ(*rows[1].efficiency, 0.8);
    EXPECT_DOUBLE_EQ(*rows[1].karp_flatt, 0.25);
    EXPECT_DOUBLE_EQ(*rows[2].speed_up, 4);
    EXPECT_THAT(
        squeezed(render(tables, tables::Format::md)),
        AllOf(HasSubstr("Speed-up of threads S = T(t0)·t0/T(t) on as many ranks, with t0 = 1"),
              Not(HasSubstr("p0"))));
    EXPECT_THAT(render(tables, tables::Format::json), HasSubstr("\"speed_up_over\": \"threads\""));
}

TEST(ScalingTable, OfRanksAndThreadsComparesEach) {
    const auto tables = scaling_tables(
        of_sizes({{1, 1}, {1, 2}, {2, 1}, {2, 2}}, {0.5, 0.3125, 0.28125, 0.1953125}));
    const auto& rows = tables[0].rows;
    ASSERT_THAT(rows, SizeIs(4));
    EXPECT_DOUBLE_EQ(*rows[1].speed_up, 1);          // 1 × 2: the base of two threads
    EXPECT_DOUBLE_EQ(*rows[1].thread_speed_up, 1.6); // over 1 × 1
    EXPECT_DOUBLE_EQ(*rows[2].speed_up, 0.5 / 0.28125);
    EXPECT_DOUBLE_EQ(*rows[3].speed_up, 1.6); // over 1 × 2
    EXPECT_DOUBLE_EQ(*rows[3].thread_speed_up, 0.28125 / 0.1953125);
    EXPECT_THAT(squeezed(render(tables, tables::Format::md)), HasSubstr("| speed-up of threads |"));
}

TEST(ScalingTable, RemarksWhereThreadsDifferAndTellsNoEfficiency) {
    const auto tables = scaling_tables(of_sizes({{1, 2}, {2, 1}}, {0.5, 0.25}));
    const ScalingRow& two = tables[0].rows[1];
    EXPECT_DOUBLE_EQ(*two.speed_up, 2);
    EXPECT_FALSE(two.efficiency.has_value());
    EXPECT_FALSE(two.karp_flatt.has_value());
    for (const tables::Format format : {tables::Format::md, tables::Format::json})
        EXPECT_THAT(render(tables, format),
                    HasSubstr("2 × 1: compared with 1 × 2, which has other threads a rank"));
}

TEST(ScalingTable, RemarksOnWhatIsSuperLinear) {
    const auto remarked = HasSubstr("2 × 4: super-linear, 1.25 times what more ranks explain");
    const auto tables = scaling_tables(of_sizes({{1, 4}, {2, 4}}, {0.5, 0.2}));
    EXPECT_THAT(squeezed(render(tables, tables::Format::md)), remarked);
    EXPECT_THAT(render(tables, tables::Format::json), remarked);
    EXPECT_THAT(
        render(scaling_tables(of_sizes({{1, 4}, {2, 4}}, {0.5, 0.2499})), tables::Format::md),
        Not(HasSubstr("super-linear")));
}

TEST(ScalingTable, HasOneDefinitionOfTokensPerSecond) {
    auto traces = of_sizes({{1, 4}}, {0.25});
    traces[0].steps.back().duration_s = 20; // one slow step moves the mean, not the median
    const auto tables = scaling_tables(traces);
    const auto row =
        nlohmann::json::parse(render(tables, tables::Format::json))["tables"][0]["rows"][0];
    EXPECT_EQ(row["decode_tok_per_s"].get<double>(),
              1 / row["s_per_token"]["median"].get<double>());
    EXPECT_THAT(
        squeezed(render(tables, tables::Format::md)),
        AllOf(HasSubstr("| 0.2500 … 0.2500 | 4.00 |"), HasSubstr("tok/s is 1 / that median"),
              HasSubstr("all tokens by all time are 0.41 tok/s: some steps were much slower")));
}

TEST(ScalingTable, PoolsRunsOfOneConfiguration) {
    auto traces = three_sizes();
    traces.push_back(planted({.path = "d.h5", .n_ranks = 4, .duration_s = 0.078125}));
    const auto tables = scaling_tables(traces);
    ASSERT_THAT(tables[0].rows, SizeIs(3));
    EXPECT_THAT(tables[0].rows[2].totals.paths, ::testing::ElementsAre("c.h5", "d.h5"));
}

TEST(ScalingTable, KeepsOptionsApartAndComparesWithinThem) {
    std::vector<trace::Trace> traces;
    for (const char* algorithm : {"ring", "direct"}) {
        for (const std::uint32_t n : {1u, 2u}) {
            const double speed = algorithm[0] == 'r' ? 1 : 2;
            traces.push_back(planted({.n_ranks = n, .duration_s = 0.5 / speed / n}));
            traces.back().config.set<"allreduce">(algorithm);
        }
    }
    const auto tables = scaling_tables(traces);
    ASSERT_THAT(tables[0].rows, SizeIs(4));
    EXPECT_EQ(tables[0].rows[0].variant, "allreduce=direct");
    EXPECT_EQ(tables[0].rows[3].variant, "allreduce=ring");
    for (const ScalingRow& row : tables[0].rows) EXPECT_DOUBLE_EQ(*row.speed_up, row.n_ranks);
    EXPECT_THAT(squeezed(render(tables, tables::Format::md)), HasSubstr("| options |"));
}

TEST(ScalingTable, NeverComparesDifferentModels) {
    auto traces = three_sizes();
    traces.push_back(planted({.model = "other"}));
    traces.push_back(planted({}));
    traces.back().config.set<"model_hash">("ff"); // same name, another file
    const auto tables = scaling_tables(traces);
    EXPECT_THAT(tables, SizeIs(3));
    EXPECT_THAT(squeezed(render(tables, tables::Format::md)),
                AllOf(HasSubstr("3 different models"), HasSubstr("## tiny q4_0"),
                      HasSubstr("## other q4_0")));
}

TEST(Markdown, HasOneRowAConfiguration) {
    const std::string text = squeezed(render(scaling_tables(three_sizes()), tables::Format::md));
    EXPECT_THAT(text,
                HasSubstr("| 1 × 4 | 1 | 9 | 0.2500 | 0.2500 … 0.2500 | 4.00 | 8.00 | 1.00 | 1.00 "
                          "| – | 50.0 % | 25.0 % | 25.0 % | 0.0 % | 0.001 | 0 (pi1) |\n"));
    EXPECT_THAT(
        text, HasSubstr("| 4 × 4 | 1 | 9 | 0.07812 | 0.07812 … 0.07812 | 12.80 | 8.00 | 3.20 "
                        "| 0.80 | 0.083 | 53.1 % | 25.0 % | 21.9 % | 0.0 % | 0.001 | 1 (pi2) |\n"));
    EXPECT_THAT(text, HasSubstr("warm-up and dropped (3 in all)"));
    EXPECT_THAT(text, HasSubstr("p0 = 1"));
    EXPECT_THAT(text, Not(HasSubstr("predicted")));
    EXPECT_THAT(text, Not(HasSubstr("| rank |")));
}

TEST(Markdown, OfASingleTraceHasARowARank) {
    const std::vector<trace::Trace> traces{planted({.n_ranks = 2})};
    const std::string text = squeezed(render(scaling_tables(traces), tables::Format::md));
    EXPECT_THAT(text, HasSubstr("| 0 | pi1 | 50.0 % | 25.0 % | 25.0 % | 0.1250 | 0.001 | 7.0 |\n"));
    EXPECT_THAT(text, HasSubstr("| 1 | pi2 | 62.5 % | 25.0 % | 12.5 % | 0.1562 | 0.001 | 7.0 |\n"));
    EXPECT_THAT(text,
                HasSubstr("| 2 × 4 | 1 | 9 | 0.2500 | 0.2500 … 0.2500 | 4.00 | 8.00 | – | – |"));
}

TEST(Markdown, MarksWaitsThatTheClocksCannotTell) {
    const std::vector<trace::Trace> traces{planted({.n_ranks = 2, .wait_uncertainty_s = 0.125})};
    EXPECT_THAT(squeezed(render(scaling_tables(traces), tables::Format::md)),
                HasSubstr("| < 50.0 % |"));
}

TEST(Markdown, SaysWhenThereAreTooFewSteps) {
    const std::vector<trace::Trace> traces{planted({.n_decode = 5})};
    EXPECT_THAT(squeezed(render(scaling_tables(traces), tables::Format::md)),
                HasSubstr("1 × 4: too few steps for 95 %; the interval holds with 88 %"));
}

TEST(Markdown, SurvivesNamesThatWouldBreakATable) {
    const std::vector<trace::Trace> traces{planted({.model = "a|b\nc"})};
    EXPECT_THAT(squeezed(render(scaling_tables(traces), tables::Format::md)),
                HasSubstr("## a\\|b\\x0A"));
}

TEST(Markdown, ShowsAPredictionOnlyWhenThereIsOne) {
    auto tables = scaling_tables(three_sizes());
    tables[0].rows[1].predicted_s_per_token = 0.1875;
    EXPECT_THAT(squeezed(render(tables, tables::Format::md)),
                AllOf(HasSubstr("| predicted |"), HasSubstr("| 0.1875 |"), HasSubstr("| – |")));
}

TEST(Csv, HasAsManyFieldsInEveryLine) {
    auto traces = three_sizes();
    traces.push_back(planted({.model = "say \"a, b\""}));
    std::istringstream text(render(scaling_tables(traces), tables::Format::csv));
    std::vector<std::size_t> n_fields;
    std::string last;
    for (std::string line; std::getline(text, line); last = line) {
        bool is_quoted = false;
        std::size_t n = 1;
        for (const char c : line) {
            if (c == '"') is_quoted = !is_quoted;
            n += c == ',' && !is_quoted;
        }
        n_fields.push_back(n);
    }
    ASSERT_THAT(n_fields, SizeIs(5));
    EXPECT_THAT(n_fields, ::testing::Each(n_fields[0]));
    EXPECT_THAT(last, ::testing::StartsWith("\"say \"\"a, b\"\" q4_0\",,1,4,1,9,0.25,0.25,0.25,"));
}

TEST(Report, ShowsAnEmulatedNetworkInEveryFormatAndKeepsItApart) {
    auto traces = three_sizes();
    traces.push_back(planted({.n_ranks = 4}));
    traces.back().config.set<"emulate_network">("50,8.5");
    const auto tables = scaling_tables(traces);
    ASSERT_THAT(tables[0].rows, SizeIs(4));
    for (const tables::Format format :
         {tables::Format::md, tables::Format::csv, tables::Format::json}) {
        EXPECT_THAT(render(tables, format), HasSubstr("50,8.5"));
    }
}

TEST(Json, HoldsTheNumbersInFull) {
    const auto json =
        nlohmann::json::parse(render(scaling_tables(three_sizes()), tables::Format::json));
    const auto& row = json["tables"][0]["rows"][2];
    EXPECT_EQ(row["ranks"], 4);
    EXPECT_EQ(row["s_per_token"]["median"], 0.078125);
    EXPECT_EQ(row["speed_up"], 3.2);
    EXPECT_EQ(row["per_rank"][1]["host"], "pi2");
    EXPECT_TRUE(json["tables"][0]["rows"][0]["karp_flatt"].is_null());
    EXPECT_FALSE(row.contains("predicted_s_per_token"));
}

std::string refusal_of(const std::string& path) {
    try {
        (void)report({{path}}, tables::Format::md);
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Report, SaysWhatToDoWithAnUnfinishedTrace) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    std::ofstream(path + ".journal") << "something";
    EXPECT_THAT(refusal_of(path), HasSubstr("report --recover " + path + ".journal"));
    EXPECT_THAT(refusal_of(path + ".journal"), HasSubstr("report --recover " + path + ".journal"));
}

TEST(Report, RefusesWhatIsNoTrace) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    EXPECT_THAT(refusal_of(path), HasSubstr("No such file"));
    std::ofstream(path) << "text";
    EXPECT_THAT(refusal_of(path), HasSubstr("not an HDF5 file"));
}

} // namespace
} // namespace pillar::report
