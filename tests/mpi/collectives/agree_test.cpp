// One rank fails in a phase of the setup: all throw the same.

#include "pillar/comm/agree.hpp"
#include "support/ranks/mpi_main.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>

namespace pillar::comm {
namespace {

using support::world;

struct Thrown {
    ExitCode code;
    std::string sentence;
};

std::optional<Thrown> thrown_by(FunctionRef<void()> call) {
    try {
        call();
    } catch (const AgreedError& error) {
        return Thrown{error.code(), error.what()};
    }
    return std::nullopt;
}

TEST(agree, makes_all_ranks_throw_the_error_of_one) {
    const auto comm = world();
    if (comm->size() == 1) GTEST_SKIP() << "one rank fails as all ranks: runs on 2 ranks and more";
    for (int failing = 0; failing < comm->size(); ++failing) {
        const auto thrown = thrown_by([&] {
            agree(*comm, [&] {
                if (comm->rank() == failing) throw Error(ExitCode::io, "disk is gone");
            });
        });
        ASSERT_TRUE(thrown.has_value());
        EXPECT_EQ(thrown->code, ExitCode::io);
        EXPECT_EQ(thrown->sentence,
                  fmt::format("rank {} on {}: disk is gone", failing, comm->host(failing)));
    }
}

TEST(agree, does_not_name_a_rank_when_all_fail_alike) {
    const auto comm = world();
    const auto thrown = thrown_by(
        [&] { agree(*comm, [] { throw Error(ExitCode::no_input, "m.gguf: no such file"); }); });
    ASSERT_TRUE(thrown.has_value());
    EXPECT_EQ(thrown->code, ExitCode::no_input);
    EXPECT_EQ(thrown->sentence, "m.gguf: no such file");
}

TEST(agree, lets_all_go_on_when_nobody_fails) {
    const auto comm = world();
    int n_runs = 0;
    EXPECT_FALSE(thrown_by([&] { agree(*comm, [&] { ++n_runs; }); }).has_value());
    EXPECT_EQ(n_runs, 1);
}

TEST(expect_same, makes_all_ranks_throw_when_one_differs) {
    const auto comm = world();
    EXPECT_FALSE(thrown_by([&] { expect_same(*comm, "x", "same"); }).has_value());
    if (comm->size() == 1) return;
    const int other = comm->size() - 1;
    const auto thrown =
        thrown_by([&] { expect_same(*comm, "file size", comm->rank() == other ? "7" : "8"); });
    ASSERT_TRUE(thrown.has_value());
    EXPECT_EQ(thrown->code, ExitCode::disagree);
    EXPECT_TRUE(thrown->sentence.starts_with("file size differs: rank 0 on ")) << thrown->sentence;
    EXPECT_TRUE(
        thrown->sentence.ends_with(fmt::format("; rank {} on {} has 7", other, comm->host(other))))
        << thrown->sentence;
}

} // namespace
} // namespace pillar::comm
