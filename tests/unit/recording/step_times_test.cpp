// Waiting and moving bytes told apart, on planted arrivals. Times are multiples of 2^-7, so that
// expected values are exact.

#include "conversion/step_times.hpp"

#include "pillar/comm/schedule.hpp"
#include "support/planted_trace.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace pillar::recording {
namespace {

constexpr auto broadcast = CollectiveKind::broadcast;
constexpr auto allreduce = CollectiveKind::allreduce;
constexpr auto gather = CollectiveKind::gather;

/// One rank's step in its own clock.
struct Planted {
    double begin_s = 0;
    double end_s = 0;
    std::vector<CollectiveTiming> collectives;
};

struct Result {
    std::vector<WaitedFor> waits;
    std::vector<trace::RankTimes> times;
    std::vector<CollectiveTimes> collectives;
};

Result divided(const std::vector<Planted>& planted, const std::vector<ClockSample>& samples = {},
               std::size_t missing_rank = ~std::size_t{0}) {
    const std::size_t n = planted.size();
    std::vector<RankSteps> ranks(n);
    std::vector<RankStep> steps(n);
    for (std::size_t r = 0; r < n; ++r) {
        StepHead head;
        head.begin_s = planted[r].begin_s;
        head.end_s = planted[r].end_s;
        support::plant_step(ranks[r], head, planted[r].collectives);
        const CollectiveColumns& all = ranks[r].collectives;
        if (r != missing_rank) {
            steps[r] = {&ranks[r].heads[0], all.gap_s, all.length_s, all.bytes, all.kind};
        }
    }
    const ClockTable clocks(samples, n);
    StepDivider divider(clocks);
    Result result;
    result.times.resize(n);
    divider.divide(steps, result.times);
    result.waits.assign(divider.waits().begin(), divider.waits().end());
    result.collectives.assign(divider.collectives().begin(), divider.collectives().end());
    return result;
}

TEST(Split, OfAnAllReduceEverybodyWaitsForTheLast) {
    const auto result = divided({{0, 3, {{1.0, 2.0, 64, allreduce}}},
                                 {0, 3, {{1.25, 2.0, 64, allreduce}}},
                                 {0, 3, {{1.5, 2.25, 64, allreduce}}}});
    const double waits[] = {0.5, 0.25, 0};
    const double wires[] = {0.5, 0.5, 0.75};
    for (std::size_t r = 0; r < 3; ++r) {
        EXPECT_EQ(result.times[r].wait_s, waits[r]) << r;
        EXPECT_EQ(result.times[r].wire_s, wires[r]) << r;
        EXPECT_EQ(result.times[r].compute_s, 3 - waits[r] - wires[r]) << r;
        EXPECT_EQ(result.times[r].idle_s, 0) << r;
    }
    ASSERT_EQ(result.collectives.size(), 1);
    EXPECT_EQ(result.collectives[0].wait_s, 0.25);
    EXPECT_EQ(result.collectives[0].bytes, 64);
    ASSERT_EQ(result.waits.size(), 2); // both for rank 2, which waits for nobody
    EXPECT_EQ(result.waits[0].cause, 2);
    EXPECT_EQ(result.waits[1].rank, 1);
    EXPECT_EQ(result.waits[1].cause, 2);
    EXPECT_EQ(result.waits[1].wait_s, 0.25);
}

TEST(Split, PutsClocksOfDifferentOriginsOnOneAxis) {
    // Rank 1's clock is 100 s ahead of rank 0's: 100 s must be taken off.
    const std::vector<ClockSample> samples{{0, {{0, 0}, {-100, 0}}}};
    const auto result =
        divided({{0, 3, {{1.0, 2.0, 64, allreduce}}}, {100, 103, {{101.5, 102.0, 64, allreduce}}}},
                samples);
    EXPECT_EQ(result.times[0].wait_s, 0.5);
    EXPECT_EQ(result.times[0].wire_s, 0.5);
    EXPECT_EQ(result.times[1].wait_s, 0);
    EXPECT_EQ(result.times[1].wire_s, 0.5);
}

TEST(Split, NeverWaitsLongerThanTheCollectiveLasted) {
    // The clocks claim that rank 1 came after rank 0 had left: an error of theirs.
    const auto result =
        divided({{0, 3, {{1.0, 1.25, 64, allreduce}}}, {0, 3, {{1.5, 2.0, 64, allreduce}}}});
    EXPECT_EQ(result.times[0].wait_s, 0.25);
    EXPECT_EQ(result.times[0].wire_s, 0);
}

TEST(Split, OfABroadcastTheRootWaitsForNobodyAndTheOthersForIt) {
    const auto result = divided({{0.5, 4, {{1.0, 1.125, 8, broadcast}}},
                                 {0.75, 4, {{0.75, 1.25, 8, broadcast}}},
                                 {1.0, 4, {{1.125, 1.25, 8, broadcast}}}});
    EXPECT_EQ(result.times[0].wait_s, 0);
    EXPECT_EQ(result.times[0].wire_s, 0.125);
    EXPECT_EQ(result.times[1].wait_s, 0.25);
    EXPECT_EQ(result.times[1].wire_s, 0.25);
    EXPECT_EQ(result.times[2].wait_s, 0); // came after the root
    EXPECT_EQ(result.times[2].wire_s, 0.125);
}

TEST(Split, CountsTimeBeforeRankZeroBeganTheStepAsIdle) {
    // Rank 1 came at 0.25; rank 0 began the step at 0.5 and its broadcast at 0.75.
    const auto result =
        divided({{0.5, 4, {{0.75, 1.0, 8, broadcast}}}, {0.125, 4, {{0.25, 1.5, 8, broadcast}}}});
    EXPECT_EQ(result.times[1].idle_s, 0.25);
    EXPECT_EQ(result.times[1].wait_s, 0.25);
    EXPECT_EQ(result.times[1].wire_s, 0.75);
    EXPECT_EQ(result.times[1].compute_s, 2.625);
}

TEST(Split, OfAGatherTheRootWaitsForAllAndLeavesForNobody) {
    const auto result = divided({{0, 4, {{1.0, 2.0, 8, gather}}},
                                 {0, 4, {{1.5, 1.625, 8, gather}}},
                                 {0, 4, {{1.75, 1.875, 8, gather}}}});
    EXPECT_EQ(result.times[0].wait_s, 0.75);
    EXPECT_EQ(result.times[0].wire_s, 0.25);
    for (const std::size_t leaf : {1u, 2u}) {
        EXPECT_EQ(result.times[leaf].wait_s, 0);
        EXPECT_EQ(result.times[leaf].wire_s, 0.125);
        EXPECT_EQ(result.times[leaf].wait_uncertainty_s, 0);
    }
}

/// A rank whose parent in the tree of 8 is not the root.
int grandchild() {
    for (int rank = 1; rank < 8; ++rank) {
        if (comm::binomial_tree(rank, 8).parent != 0) return rank;
    }
    return -1;
}

TEST(Split, FollowsTheTreeOfBroadcastAndGatherThroughInnerRanks) {
    const int leaf = grandchild();
    const int inner = comm::binomial_tree(leaf, 8).parent;
    std::vector<Planted> late_inner(8, {0, 4, {{1.0, 3.0, 8, broadcast}}});
    late_inner[static_cast<std::size_t>(inner)].collectives[0].begin_s = 2.0;
    const auto down = divided(late_inner);
    for (int rank = 0; rank < 8; ++rank) {
        int above = rank;
        bool is_below = false;
        while (above > 0) {
            above = comm::binomial_tree(above, 8).parent;
            is_below |= above == inner;
        }
        EXPECT_EQ(down.times[static_cast<std::size_t>(rank)].wait_s, is_below ? 1.0 : 0.0) << rank;
    }
    std::vector<Planted> late_leaf(8, {0, 4, {{1.0, 3.0, 8, gather}}});
    late_leaf[static_cast<std::size_t>(leaf)].collectives[0].begin_s = 2.0;
    const auto up = divided(late_leaf);
    for (int rank = 0; rank < 8; ++rank) {
        bool is_above = false;
        for (int below = leaf; below > 0;) {
            below = comm::binomial_tree(below, 8).parent;
            is_above |= below == rank;
        }
        EXPECT_EQ(up.times[static_cast<std::size_t>(rank)].wait_s, is_above ? 1.0 : 0.0) << rank;
    }
}

TEST(Split, OfOneRankIsComputeAndWireOnly) {
    const auto result = divided(
        {{0, 3, {{0.5, 0.625, 8, broadcast}, {1.0, 1.25, 64, allreduce}, {2.0, 2.5, 8, gather}}}});
    EXPECT_EQ(result.times[0].wait_s, 0);
    EXPECT_EQ(result.times[0].wire_s, 0.875);
    EXPECT_EQ(result.times[0].compute_s, 2.125);
    EXPECT_EQ(result.times[0].wait_uncertainty_s, 0);
}

TEST(Split, GivesNaNForARankThatIsMissingAndGoesOnWithTheOthers) {
    const auto result = divided({{0, 3, {{1.0, 2.0, 64, allreduce}}},
                                 {0, 3, {{1.75, 2.0, 64, allreduce}}},
                                 {0, 3, {{1.5, 2.0, 64, allreduce}}}},
                                {}, 1);
    EXPECT_TRUE(std::isnan(result.times[1].compute_s));
    EXPECT_TRUE(std::isnan(result.times[1].wait_s));
    EXPECT_EQ(result.times[0].wait_s, 0.5);
}

TEST(Split, GivesNoWaitsWhenRanksDisagreeAboutTheirCollectives) {
    const auto result = divided({{0, 3, {{1.0, 2.0, 64, allreduce}}},
                                 {0, 3, {{1.5, 2.0, 64, allreduce}, {2.0, 2.5, 64, allreduce}}}});
    EXPECT_EQ(result.times[0].compute_s, 2);
    EXPECT_EQ(result.times[1].compute_s, 2);
    EXPECT_TRUE(std::isnan(result.times[0].wait_s));
    EXPECT_TRUE(std::isnan(result.times[1].wire_s));
    EXPECT_TRUE(result.collectives.empty());
}

/// Steps of `n` ranks with random computing times; collectives end when the last has come, plus the
/// wire's time.
std::vector<Planted> random_step(std::size_t n, std::mt19937_64& random) {
    std::uniform_real_distribution<double> some(0.001, 0.01);
    std::vector<Planted> ranks(n);
    std::vector<double> now(n);
    for (std::size_t r = 0; r < n; ++r) ranks[r].begin_s = now[r] = r == 0 ? 0.001 : 0.0;
    const std::vector<CollectiveKind> kinds{broadcast, allreduce, allreduce, allreduce, gather};
    for (const CollectiveKind kind : kinds) {
        double last = 0;
        for (std::size_t r = 0; r < n; ++r) {
            if (kind != broadcast) now[r] += some(random);
            last = std::max(last, now[r]);
        }
        for (std::size_t r = 0; r < n; ++r) {
            const double end = (kind == gather && r > 0 ? now[r] : last) + some(random);
            ranks[r].collectives.push_back({now[r], end, 64, kind});
            now[r] = end;
        }
    }
    for (std::size_t r = 0; r < n; ++r) ranks[r].end_s = now[r] + 0.0005;
    return ranks;
}

TEST(Split, ComputeWaitAndWireAreTheStepFromRankZerosBegin) {
    std::mt19937_64 random(1);
    for (const std::size_t n : {1u, 2u, 3u, 5u, 8u, 16u}) {
        const auto planted = random_step(n, random);
        const auto result = divided(planted);
        for (std::size_t r = 0; r < n; ++r) {
            const trace::RankTimes& t = result.times[r];
            const double begin = std::max(planted[r].begin_s, planted[0].begin_s);
            EXPECT_NEAR(t.compute_s + t.wait_s + t.wire_s, planted[r].end_s - begin, 1e-8);
            EXPECT_GE(t.compute_s, 0);
            EXPECT_GE(t.wait_s, 0);
            EXPECT_GE(t.wire_s, 0);
        }
    }
}

TEST(Split, WaitsAreOffByNoMoreThanTheUncertaintySaysWhateverTheClocksError) {
    std::mt19937_64 random(2);
    for (int trial = 0; trial < 200; ++trial) {
        constexpr std::size_t n = 4;
        const auto planted = random_step(n, random);
        const auto truth = divided(planted);
        // Own clocks are offset; the measurement misses the offset by up to its uncertainty.
        std::uniform_real_distribution<double> offset(-50, 50), miss(-1, 1), size(0, 0.005);
        const double uncertainty = size(random);
        std::vector<Planted> seen = planted;
        ClockSample sample{0, {{0, 0}}};
        for (std::size_t r = 1; r < n; ++r) {
            const double o = offset(random);
            seen[r].begin_s -= o;
            seen[r].end_s -= o;
            for (CollectiveTiming& one : seen[r].collectives) {
                one.begin_s -= o;
                one.end_s -= o;
            }
            sample.offsets.push_back({o + miss(random) * uncertainty, uncertainty});
        }
        const auto measured = divided(seen, {sample});
        for (std::size_t r = 0; r < n; ++r) {
            // Idle time is told apart by the same clocks.
            const double error = std::abs(measured.times[r].wait_s - truth.times[r].wait_s);
            EXPECT_LE(error, measured.times[r].wait_uncertainty_s + 1e-7) << r;
        }
    }
}

} // namespace
} // namespace pillar::recording
