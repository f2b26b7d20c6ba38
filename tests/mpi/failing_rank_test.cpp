// Fails on the rank that the environment names, and on no other.

#include "support/ranks/mpi_main.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <string>

TEST(harness, fails_where_the_environment_says) {
    const auto comm = pillar::support::world();
    const char* failing = std::getenv("PILLAR_FAILING_RANK");
    EXPECT_NE(failing == nullptr ? "none" : failing, std::to_string(comm->rank()));
}

TEST(harness, keeps_the_ranks_together_after_a_failure) {
    const auto comm = pillar::support::world();
    EXPECT_EQ(comm->all_gather("here").size(), static_cast<std::size_t>(comm->size()));
}
