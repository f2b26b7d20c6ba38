// What is said of loading, with planted times: no clock is looked at.

#include "pillar/session/load_report.hpp"
#include "pillar/terminal/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::session {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t mb = 1'000'000;

TEST(load_line, adds_up_the_ranks_and_takes_the_longest_time) {
    const std::vector<LoadFacts> ranks = {{2.0, 400 * mb, 400 * mb}, {4.0, 600 * mb, 600 * mb}};
    EXPECT_EQ(load_line(ranks), "1.00 GB on 2 ranks in 4.00 s (250 MB/s); 1.00 GB from the device");
}

TEST(load_line, says_what_came_from_the_page_cache) {
    EXPECT_EQ(load_line(std::vector<LoadFacts>{{0.5, 400 * mb, 0}}),
              "400 MB on 1 rank in 0.50 s (800 MB/s); all from the page cache");
    EXPECT_EQ(load_line(std::vector<LoadFacts>{{0.5, 400 * mb, 1 * mb}, {0.5, 400 * mb, 2 * mb}}),
              "800 MB on 2 ranks in 0.50 s (1.60 GB/s); all from the page cache");
    EXPECT_EQ(load_line(std::vector<LoadFacts>{{1, 400 * mb, 0}, {1, 400 * mb, 100 * mb}}),
              "800 MB on 2 ranks in 1.00 s (800 MB/s); 100 MB from the device, the rest from the "
              "page cache");
    // Strips of rows: a disk may deliver more than was asked for.
    EXPECT_THAT(load_line(std::vector<LoadFacts>{{1, 400 * mb, 500 * mb}}),
                HasSubstr("; 500 MB from the device"));
}

TEST(load_line, claims_nothing_that_a_rank_does_not_know) {
    EXPECT_EQ(load_line(std::vector<LoadFacts>{{1, 400 * mb, 0}, {1, 400 * mb, std::nullopt}}),
              "800 MB on 2 ranks in 1.00 s (800 MB/s)");
    EXPECT_EQ(load_line(std::vector<LoadFacts>{{0, 0, std::nullopt}}),
              "0 B on 1 rank in 0.00 s (at once)");
}

std::string slow(const std::vector<double>& times_s) {
    std::vector<LoadFacts> ranks;
    std::vector<std::string> hosts;
    for (const double s : times_s) {
        ranks.push_back({s, 500 * mb, 500 * mb});
        hosts.push_back("pi" + std::to_string(ranks.size()));
    }
    return slow_load_line(ranks, hosts);
}

TEST(slow_load_line, names_the_slowest_node_its_time_and_its_rate) {
    EXPECT_EQ(
        slow({5, 5.5, 25, 6}),
        "pi3 (rank 2) took 25.0 s to load its 500 MB (20.0 MB/s); the median of the others is "
        "5.5 s. Look at its disk or its connection to the shared one");
    EXPECT_THAT(slow({25, 5, 40}), HasSubstr("pi3 (rank 2) took 40.0 s"));
    EXPECT_THAT(slow({5, 20}), HasSubstr("pi2 (rank 1) took 20.0 s"));
    EXPECT_THAT(slow({20, 5}), HasSubstr("pi1 (rank 0) took 20.0 s"));
}

TEST(slow_load_line, is_silent_about_little_and_about_what_all_share) {
    EXPECT_EQ(slow({50}), "");
    EXPECT_EQ(slow({5, 7.4}), "");     // less than half as long again
    EXPECT_EQ(slow({0.1, 2.05}), "");  // 20 times as long, but not 2 s more
    EXPECT_EQ(slow({40, 41, 39}), ""); // all are slow
    EXPECT_NE(slow({5, 7.6}), "");
}

TEST(bytes_from_device, is_known_on_linux) {
    EXPECT_TRUE(bytes_from_device().has_value());
}

TEST(progress_text, tells_rate_and_time_left) {
    EXPECT_EQ(terminal::progress_text(1200 * mb, 4000 * mb, 12),
              "1.20 GB of 4.00 GB, 100 MB/s, 28 s left");
    EXPECT_EQ(terminal::progress_text(0, 4000 * mb, 12),
              "0 B of 4.00 GB, 0 B/s, nothing has come yet");
    EXPECT_EQ(terminal::progress_text(5000 * mb, 4000 * mb, 10),
              "5.00 GB of 4.00 GB, 500 MB/s, 0 s left");
}

} // namespace
} // namespace pillar::session
