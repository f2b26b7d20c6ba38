// Setup collectives, clocks, and MPI's errors as sentences.

#include "mpi/mpi_error.hpp"

#include "pillar/comm/binding.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"
#include "support/ranks/dry_run.hpp"
#include "support/ranks/mpi_main.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mpi.h>
#include <thread>

namespace pillar::comm {
namespace {

using support::world;

std::string text_of(int rank, std::size_t unit) {
    return std::string(static_cast<std::size_t>(rank) * unit, static_cast<char>('a' + rank));
}

TEST(communicator, knows_its_place_and_the_hosts) {
    const auto comm = world();
    int rank = 0;
    int size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    EXPECT_EQ(comm->rank(), rank);
    EXPECT_EQ(comm->size(), size);
    for (int r = 0; r < size; ++r) EXPECT_EQ(comm->host(r), support::make_self()->host(0));
}

TEST(setup, gathers_texts_of_any_length_to_all_and_to_rank_0) {
    const auto comm = world();
    for (const std::size_t unit : {0, 1, 50'000}) {
        std::vector<std::string> expected;
        for (int r = 0; r < comm->size(); ++r) expected.push_back(text_of(r, unit));
        EXPECT_EQ(comm->all_gather(text_of(comm->rank(), unit)), expected);
        const auto at_root = comm->gather_to_root(text_of(comm->rank(), unit));
        EXPECT_EQ(at_root, comm->is_root() ? expected : std::vector<std::string>());
    }
}

TEST(setup, broadcasts_texts_of_any_length) {
    const auto comm = world();
    for (const std::size_t n : {0, 1, 1000, 300'000}) {
        EXPECT_EQ(comm->broadcast_from_root(comm->is_root() ? std::string(n, 'q') : "mine"),
                  std::string(n, 'q'));
    }
}

TEST(setup, is_counted_apart_from_steps_and_as_in_a_dry_run) {
    const auto comm = world();
    const Traffic before = comm->other_traffic();
    const auto dry = support::make_dry_run(comm->rank(), comm->size(), Algorithm::mpi, Wire::f32);
    for (Communicator* one : {comm.get(), dry.get()}) {
        one->all_gather("equal lengths");
        one->gather_to_root("here");
        one->broadcast_from_root("and there");
        one->barrier();
    }
    EXPECT_EQ(comm->other_traffic().bytes_sent - before.bytes_sent,
              dry->other_traffic().bytes_sent);
    EXPECT_EQ(comm->other_traffic().messages_sent - before.messages_sent,
              dry->other_traffic().messages_sent);
    EXPECT_EQ(comm->step_traffic().messages_sent, 0u);
}

TEST(barrier, lets_nobody_leave_before_the_last_has_come) {
    const auto comm = world();
    for (int last = 0; last < std::min(comm->size(), 3); ++last) {
        if (comm->rank() == last) std::this_thread::sleep_for(std::chrono::milliseconds(30));
        const double come_s = monotonic_s();
        comm->barrier();
        const double leave_s = monotonic_s();
        double last_come_s = 0; // one machine, one clock
        double first_leave_s = 0;
        MPI_Allreduce(&come_s, &last_come_s, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        MPI_Allreduce(&leave_s, &first_leave_s, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
        EXPECT_LE(last_come_s, first_leave_s);
    }
}

TEST(clock_offsets, are_zero_on_one_machine_within_their_uncertainty) {
    const auto comm = world();
    const auto offsets = comm->clock_offsets();
    EXPECT_EQ(offsets.size(), comm->is_root() ? static_cast<std::size_t>(comm->size()) : 0);
    for (const auto& offset : offsets) {
        EXPECT_LE(std::abs(offset.offset_s), offset.uncertainty_s + 1e-6);
        EXPECT_LT(offset.uncertainty_s, 0.1);
    }
    EXPECT_EQ(comm->step_traffic().messages_sent, 0u);
}

TEST(binding, of_this_job_is_examined_by_all_alike) {
    const auto comm = world();
    const Binding binding = examine_binding(*comm, 0, "mpirun");
    EXPECT_GE(binding.n_threads_default, 1);
    const auto warnings = comm->all_gather(binding.warning);
    EXPECT_EQ(std::ranges::count(warnings, warnings.front()), comm->size());
}

TEST(mpi_errors, of_the_caller_are_internal) {
    try {
        check_mpi(MPI_ERR_TRUNCATE, "MPI_Irecv", "rank 3 on pi4");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::internal);
        EXPECT_THAT(error.what(), testing::StartsWith("MPI_Irecv with rank 3 on pi4 failed: "));
        EXPECT_THAT(error.what(), testing::HasSubstr("MPI_ERR_TRUNCATE"));
    }
}

TEST(mpi_errors, of_the_network_say_that_a_peer_is_lost) {
    try {
        check_mpi(MPI_ERR_OTHER, "MPI_Testall", "rank 3 on pi4");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::peer_lost);
        EXPECT_THAT(error.what(), testing::StartsWith("MPI_Testall with rank 3 on pi4 failed: "));
        EXPECT_THAT(error.what(), testing::HasSubstr("pillar check"));
    }
}

} // namespace
} // namespace pillar::comm
