// What reaches stderr from which rank at which level.

#include "pillar/core/log.hpp"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace pillar::log {
namespace {

class Log : public testing::Test {
  protected:
    void TearDown() override {
        set_identity(0, "");
        set_level(Level::info);
    }
};

template <class F>
std::string stderr_of(F action) {
    testing::internal::CaptureStderr();
    action();
    return testing::internal::GetCapturedStderr();
}

TEST_F(Log, root_speaks_for_the_program) {
    EXPECT_EQ(stderr_of([] { info("{} ranks", 4); }), "[pillar] 4 ranks\n");
    EXPECT_EQ(stderr_of([] { warning("hot"); }), "[pillar] warning: hot\n");
    EXPECT_EQ(stderr_of([] { error("gone"); }), "[pillar] error: gone\n");
}

TEST_F(Log, another_rank_names_itself_and_its_host) {
    set_identity(3, "node-c");
    EXPECT_EQ(stderr_of([] { error("disk full"); }),
              "[pillar rank 3 on node-c] error: disk full\n");
    EXPECT_EQ(stderr_of([] { root(Level::error, "the same {}", "everywhere"); }), "");
    EXPECT_FALSE(speaks_as_root());
}

TEST_F(Log, nothing_below_the_level_is_printed) {
    EXPECT_EQ(stderr_of([] { debug("detail"); }), "");
    set_level(Level::debug);
    EXPECT_EQ(stderr_of([] { debug("detail"); }), "[pillar] debug: detail\n");
    set_level(Level::error);
    EXPECT_EQ(stderr_of([] { warning("hot"); }), "");
    EXPECT_EQ(level(), Level::error);
}

TEST_F(Log, lines_of_several_threads_stay_whole) {
    const std::string text = stderr_of([] {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([] {
                for (int i = 0; i < 100; ++i) line(Level::info, "abcdefghij");
            });
    });
    const std::string one = "[pillar] abcdefghij\n";
    ASSERT_EQ(text.size(), 400 * one.size());
    for (std::size_t i = 0; i < 400; ++i) ASSERT_EQ(text.substr(i * one.size(), one.size()), one);
}

} // namespace
} // namespace pillar::log
