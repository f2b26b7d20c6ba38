// The memory pre-flight with planted needs: what it advises must hold for every rank.

#include "pillar/session/memory_check.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/environment.hpp"
#include "pillar/core/errors.hpp"
#include "support/ranks/dry_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::session {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t far_too_much = std::uint64_t{1} << 50;

/// What expect_memory says on one rank that needs `need`.
std::string refusal(NeedOf need, std::size_t n_context) {
    const auto comm = support::make_self();
    try {
        expect_memory(*comm, need, n_context);
    } catch (const comm::AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::refused);
        return error.what();
    }
    return "nothing was refused";
}

TEST(memory_check, advises_a_number_of_ranks_that_fits_on_each_of_them) {
    // Rank 0 gets away with little from two ranks on, the last rank only from seven on.
    const auto need = [](int rank, int n_ranks, std::size_t) {
        const bool is_small = n_ranks >= 7 || (n_ranks >= 2 && rank < n_ranks - 1);
        return forward::MemoryNeed{is_small ? 1000 : far_too_much, 0, 0};
    };
    EXPECT_THAT(refusal(need, 256), HasSubstr("; 7 ranks on as many such hosts fit"));
}

TEST(memory_check, advises_the_largest_halved_context_that_fits) {
    const auto need = [](int, int, std::size_t n_context) {
        return forward::MemoryNeed{0, n_context > 1100 ? far_too_much : n_context, 0};
    };
    const std::string text = refusal(need, 8192);
    EXPECT_THAT(text, HasSubstr("; --ctx-size 1024 fits"));
    EXPECT_THAT(text, Not(HasSubstr("ranks on")));
}

TEST(memory_check, advises_more_ranks_with_a_shorter_context_where_neither_alone_helps) {
    const auto need = [](int, int n_ranks, std::size_t n_context) {
        const bool is_small = n_ranks >= 3 && n_context <= 1500;
        return forward::MemoryNeed{is_small ? 1000 : far_too_much, 0, 0};
    };
    EXPECT_THAT(refusal(need, 8192),
                HasSubstr("; 3 ranks on as many such hosts fit with --ctx-size 1024"));
}

TEST(memory_check, advises_a_smaller_model_where_nothing_fits) {
    const auto need = [](int, int, std::size_t) { return forward::MemoryNeed{far_too_much, 0, 0}; };
    EXPECT_THAT(refusal(need, 4096), HasSubstr("; use a smaller model or a smaller format"));
}

TEST(memory_check, agrees_on_what_cannot_be_planned) {
    const auto need = [](int, int, std::size_t) -> forward::MemoryNeed {
        throw Error(ExitCode::bad_data, "blk.0.ffn_down.weight is missing");
    };
    const auto comm = support::make_self();
    EXPECT_THROW(expect_memory(*comm, need, 256), comm::AgreedError);
}

} // namespace
} // namespace pillar::session
