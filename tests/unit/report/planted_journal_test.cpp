// From journals to reports: what was planted in ranks' own clocks is named, within what the clocks
// leave open.

#include "pillar/report/laws.hpp"
#include "pillar/report/render.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/recording/convert.hpp"
#include "planted.hpp"
#include "support/planted_trace.hpp"
#include "support/temporary_directory.hpp"

#include <cmath>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::report {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t n_ranks = 4;
constexpr std::uint64_t n_steps = 41;
constexpr double step_s = 0.05;
constexpr double origin_s = 1000; // of rank 0's clock
constexpr double offset_s = 3e-3; // rank 1's clock is ahead by this at the start …
constexpr double drift = 20e-6;   // … and runs fast
constexpr double uncertainty_s = 2e-5;

double ahead_s(std::size_t rank, double time_s) {
    return rank == 1 ? offset_s + drift * (time_s - origin_s) : 0;
}

/// When a rank enters and leaves a collective of a step, seconds from the step's begin on.
struct Times {
    double enter = 0;
    double leave = 0;
};
using Plan4 = std::function<std::vector<std::pair<CollectiveKind, Times>>(std::size_t rank)>;

/// Decode steps of this plan, in each rank's own clock.
std::string journal_of(const support::TemporaryDirectory& directory, const Plan4& plan) {
    const std::string path = directory.file("run.h5.journal");
    recording::JournalWriter journal(path, false);
    recording::Header header = support::planted_header(n_ranks);
    header.origin_s = origin_s;
    journal.append(recording::RecordType::header, recording::encode(header));
    const auto hosts = [&](recording::HostList::Moment moment) {
        journal.append(recording::RecordType::hosts,
                       recording::encode(support::planted_hosts(moment, n_ranks)));
    };
    hosts(recording::HostList::Moment::start);
    const auto clocks = [&](double time_s) {
        recording::ClockSample sample{time_s, {}};
        for (std::size_t rank = 0; rank < n_ranks; ++rank)
            sample.offsets.push_back({-ahead_s(rank, time_s), rank == 0 ? 0 : uncertainty_s});
        journal.append(recording::RecordType::clocks, recording::encode(sample));
    };
    clocks(origin_s);
    for (std::uint64_t n = 0; n < n_steps; ++n) {
        const double begin_s = origin_s + step_s * static_cast<double>(n);
        std::vector<recording::RankSteps> ranks(n_ranks);
        for (std::size_t rank = 0; rank < n_ranks; ++rank) {
            ranks[rank].rank = static_cast<std::uint32_t>(rank);
            const auto own = [&](double time_s) {
                return begin_s + time_s + ahead_s(rank, begin_s + time_s);
            };
            recording::StepHead head;
            head.counts.step = n;
            head.counts.phase = engine::Phase::decode;
            head.counts.n_rows = 1;
            head.begin_s = own(0);
            std::vector<CollectiveTiming> collectives;
            for (const auto& [kind, times] : plan(rank)) {
                collectives.push_back({own(times.enter), own(times.leave), 64, kind});
                head.end_s = own(times.leave);
            }
            support::plant_step(ranks[rank], head, collectives);
        }
        journal.append(recording::RecordType::steps, support::encode_block_of(ranks));
    }
    const double end_s = origin_s + step_s * static_cast<double>(n_steps);
    clocks(end_s);
    hosts(recording::HostList::Moment::end);
    support::append_end(journal, 0, end_s);
    return path;
}

ScalingRow reported(const Plan4& plan, std::string& text) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("run.h5");
    (void)recording::convert(journal_of(directory, plan), path);
    const std::vector<std::string> paths{path};
    auto tables = tables_of(paths);
    text = squeezed(render(tables, tables::Format::md));
    return tables.at(0).rows.at(0);
}

constexpr auto broadcast = CollectiveKind::broadcast;
constexpr auto allreduce = CollectiveKind::allreduce;
constexpr auto gather = CollectiveKind::gather;

TEST(PlantedJournal, NamesASlowRankAndAClockThatIsOff) {
    std::string text;
    // Rank 2 comes to the sums 10 ms after the others, who wait for it.
    const ScalingRow row = reported(
        [](std::size_t rank) {
            const double slow = rank == 2 ? 0.010 : 0;
            return std::vector<std::pair<CollectiveKind, Times>>{{broadcast, {0, 0.001}},
                                                                 {allreduce, {0.010 + slow, 0.021}},
                                                                 {allreduce, {0.030 + slow, 0.041}},
                                                                 {gather, {0.045, 0.046}}};
        },
        text);
    const Totals& totals = row.totals;
    EXPECT_EQ(slowest_rank(totals.ranks), 2u);
    EXPECT_EQ(totals.n_slowest[2], n_steps - 1);
    const auto most = waited_for_most(totals.waiting);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->cause, 2u);
    EXPECT_FALSE(most->only_waiter);
    for (const std::size_t rank : {0U, 1U, 3U})
        EXPECT_NEAR(totals.waiting.wait_s(rank, 2), 0.020 * n_steps,
                    totals.waiting.uncertainty_s(rank, 2))
            << rank;
    EXPECT_GT(totals.waiting.wait_s(0, 2), 10 * totals.waiting.uncertainty_s(0, 2));
    const ClockReading& clock = totals.clocks.at(0);
    EXPECT_EQ(clock.rank, 1u);
    EXPECT_NEAR(clock.offset_s, -offset_s, clock.uncertainty_s);
    EXPECT_NEAR(clock.drift_ppm, 20, clock.drift_uncertainty_ppm);
    EXPECT_LT(clock.drift_uncertainty_ppm, 25);
    EXPECT_THAT(text, HasSubstr("rank 1 (pi2) was 3.000 ± 0.020 ms ahead of rank 0's"));
    EXPECT_THAT(text, HasSubstr("| 2 (pi3) in 100.0 % | 2 (pi3) |"));
}

TEST(PlantedJournal, NamesARankThatOneOtherWaitsFor) {
    std::string text;
    // In the tree of a broadcast of four rank 3 gets the message from rank 2 (or 1) alone.
    const std::size_t parent = static_cast<std::size_t>(comm::binomial_tree(3, 4).parent);
    const ScalingRow row = reported(
        [parent](std::size_t rank) {
            const double late = rank == parent ? 0.005 : 0;
            const double until = rank == parent || rank == 3 ? 0.006 : 0.001;
            return std::vector<std::pair<CollectiveKind, Times>>{
                {broadcast, {late, until}}, {allreduce, {0.030, 0.031}}, {gather, {0.045, 0.046}}};
        },
        text);
    const auto most = waited_for_most(row.totals.waiting);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->cause, parent);
    EXPECT_EQ(most->only_waiter, 3u);
    EXPECT_NEAR(row.totals.waiting.wait_s(3, parent), 0.005 * n_steps,
                row.totals.waiting.uncertainty_s(3, parent));
    EXPECT_THAT(text, HasSubstr("3 (pi4) alone |"));
}

} // namespace
} // namespace pillar::report
