// When proposals pay: planted machines, whose steps take what is said here.

#include "pillar/speculation/payoff.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <random>

namespace pillar::speculation {
namespace {

const std::function<double(std::size_t)> of_memory = [](std::size_t) { return 0.02; };
const std::function<double(std::size_t)> of_rows = [](std::size_t n) {
    return 0.02 * static_cast<double>(n);
};

StepTimes measured(const std::function<double(std::size_t)>& seconds) {
    StepTimes times;
    for (int round = 0; round < 40; ++round)
        for (const std::size_t n : {1u, 2u, 4u, 8u, 16u}) times.add(n, seconds(n));
    return times;
}

TEST(step_times, come_to_what_steps_take) {
    const StepTimes times = measured(of_rows);
    for (const std::size_t n : {1u, 2u, 3u, 4u, 6u, 8u, 12u, 16u})
        EXPECT_NEAR(times.of(n), of_rows(n), 0.02 * of_rows(n)) << n;
    EXPECT_EQ(StepTimes().of(1), 0);
}

TEST(step_times, keep_their_shape_when_the_machine_slows_down) {
    StepTimes times = measured(of_memory);
    for (int i = 0; i < 60; ++i) times.add(1, 0.06); // as steps of one row alone tell
    EXPECT_NEAR(times.of(1), 0.06, 0.006);
    EXPECT_NEAR(times.of(8), 0.06, 0.006);
}

TEST(step_times, of_more_rows_are_no_shorter) {
    StepTimes times = measured(of_memory);
    times.add(3, 10.0); // an interrupted step
    EXPECT_LE(times.of(3), times.of(4) * 1.0001);
}

TEST(step_times, forgive_noise) {
    std::mt19937 random(3);
    std::lognormal_distribution<double> noise(0, 0.3);
    StepTimes times;
    for (int round = 0; round < 200; ++round)
        for (const std::size_t n : {1u, 4u, 8u}) times.add(n, of_memory(n) * noise(random));
    EXPECT_NEAR(times.of(8) / times.of(1), 1.0, 0.15);
}

TEST(worth, is_all_where_rows_cost_nothing_and_none_where_they_cost_a_step) {
    const std::vector<double> likely(7, 0.5), unlikely(7, 0.01);
    EXPECT_EQ(n_worth(measured(of_memory), 1, likely), 7u);
    EXPECT_EQ(n_worth(measured(of_memory), 1, unlikely), 7u);
    EXPECT_EQ(n_worth(measured(of_rows), 1, likely), 0u);
    EXPECT_EQ(n_worth(StepTimes(), 1, likely), 0u); // nothing is known
    EXPECT_EQ(n_worth(measured(of_memory), 1, {}), 0u);
}

TEST(worth, stops_where_a_row_brings_less_than_it_costs) {
    // A step and a quarter of one a row: worth while a token's probability is above the rate.
    const auto times =
        measured([](std::size_t n) { return 0.02 * (1 + 0.25 * static_cast<double>(n - 1)); });
    const std::vector<double> falling{0.9, 0.8, 0.5, 0.1, 0.05};
    EXPECT_EQ(n_worth(times, 1, falling), 3u);
    EXPECT_EQ(n_worth(times, 4, std::vector<double>{0.3, 0.2}), 0u);
}

TEST(acceptance, comes_to_what_happens) {
    const std::vector<double> beliefs{0.3, 0.9};
    Acceptance acceptance(beliefs);
    EXPECT_EQ(acceptance.of(0), 0.3);
    EXPECT_EQ(acceptance.of(1), 0.9);
    for (int i = 0; i < 400; ++i) acceptance.add(1, i % 4 == 0);
    EXPECT_EQ(acceptance.of(0), 0.3);
    EXPECT_NEAR(acceptance.of(1), 0.25, 0.05);
    EXPECT_NEAR(acceptance.mean(), 0.6, 1e-12); // nothing was offered
    for (int i = 0; i < 400; ++i) acceptance.offer(i % 2 == 0 ? 0 : 1);
    EXPECT_NEAR(acceptance.mean(), (0.3 + acceptance.of(1)) / 2, 0.02);
}

TEST(retries, become_rarer_until_something_pays) {
    Retries retries(32, 2);
    std::vector<int> due;
    for (int i = 1; i <= 1200; ++i)
        if (retries.is_due()) due.push_back(i);
    EXPECT_EQ(due, (std::vector<int>{32, 96, 224, 480, 992}));
    retries.reset();
    int n = 1;
    while (!retries.is_due()) ++n;
    EXPECT_EQ(n, 32);
    Retries rarer(128, 4);
    due.clear();
    for (int i = 1; i <= 1400; ++i)
        if (rarer.is_due()) due.push_back(i);
    EXPECT_EQ(due, (std::vector<int>{128, 640, 1152}));
}

TEST(acceptance, believes_what_it_sees_where_it_doubts_what_it_knew) {
    const std::vector<double> beliefs{0.5};
    Acceptance acceptance(beliefs);
    for (int i = 0; i < 400; ++i) acceptance.add(0, false);
    const double knew = acceptance.of(0);
    acceptance.doubt();
    EXPECT_EQ(acceptance.of(0), knew);
    for (int i = 0; i < 6; ++i) acceptance.add(0, true);
    EXPECT_NEAR(acceptance.of(0), 0.6, 0.05); // 6 of 10
}

} // namespace
} // namespace pillar::speculation
