// Typed exchanges on one rank, and what may travel.

#include "pillar/comm/exchange.hpp"

#include "pillar/core/errors.hpp"
#include "support/ranks/dry_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::comm {
namespace {

struct Numbers {
    double a;
    std::uint64_t b;
};
static_assert(Plain<Numbers> && Plain<double> && Plain<ExitCode>);
static_assert(!Plain<std::string> && !Plain<std::string_view> && !Plain<std::span<const int>>);
static_assert(!Plain<const char*> && !Plain<std::vector<int>>);

TEST(exchange, of_one_rank_gives_back_what_it_got) {
    const auto self = support::make_self();
    EXPECT_EQ(all_gather(*self, 0.1), std::vector<double>{0.1});
    EXPECT_EQ(gather_to_root(*self, std::uint64_t{7}), std::vector<std::uint64_t>{7});
    EXPECT_EQ(broadcast_from_root(*self, -3), -3);
    const std::vector<int> list{1, 2, 3};
    EXPECT_EQ(all_gather(*self, list), (std::vector<std::vector<int>>{list}));
    EXPECT_EQ(gather_to_root(*self, std::vector<int>()), (std::vector<std::vector<int>>{{}}));
    EXPECT_EQ(broadcast_from_root(*self, list), list);
    const std::vector<std::string> texts{"", "b", ""};
    EXPECT_EQ(all_gather(*self, texts), (std::vector<std::vector<std::string>>{texts}));
}

TEST(exchange, takes_no_texts_that_could_not_be_told_apart) {
    const auto self = support::make_self();
    EXPECT_DEATH(all_gather(*self, std::vector<std::string>()), "a text to gather");
    EXPECT_DEATH(all_gather(*self, std::vector<std::string>{std::string(1, '\0')}), "no NUL");
}

} // namespace
} // namespace pillar::comm
