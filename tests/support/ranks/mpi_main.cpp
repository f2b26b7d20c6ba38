// Runs one GoogleTest program on all ranks: rank 0 prints; a failure on another rank becomes a
// failure on rank 0 that names the rank; every rank returns the worst result. Nobody goes on to the
// next test before all have ended this one.

#include "support/ranks/mpi_main.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <mpi.h>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace pillar::support {

namespace {

comm::Environment* environment = nullptr;

/// Collects this rank's failures and hands them to rank 0 when the test ends.
class RankFailures final : public testing::EmptyTestEventListener {
  public:
    RankFailures(MPI_Comm ranks, int rank, int size) : ranks_(ranks), rank_(rank), size_(size) {}

    void OnTestPartResult(const testing::TestPartResult& result) override {
        if (!result.failed() || rank_ == 0) return;
        failures_ += fmt::format("{}:{}: {}\n", result.file_name() ? result.file_name() : "?",
                                 result.line_number(), result.message());
    }

    void OnTestEnd(const testing::TestInfo& /*test*/) override {
        const std::string own = std::exchange(failures_, {});
        const int length = static_cast<int>(own.size());
        std::vector<int> lengths(static_cast<std::size_t>(size_));
        MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, ranks_);
        std::vector<int> offsets(lengths.size(), 0);
        std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
        std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), '\0');
        MPI_Gatherv(own.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(),
                    MPI_CHAR, 0, ranks_);
        for (std::size_t r = 1; rank_ == 0 && r < lengths.size(); ++r) {
            if (lengths[r] == 0) continue;
            const auto begin = static_cast<std::size_t>(offsets[r]);
            ADD_FAILURE() << "on rank " << r << ":\n"
                          << all.substr(begin, static_cast<std::size_t>(lengths[r]));
        }
    }

  private:
    MPI_Comm ranks_;
    int rank_;
    int size_;
    std::string failures_;
};

int run_all_tests() {
    MPI_Comm ranks = MPI_COMM_NULL; // apart from what the tests send
    MPI_Comm_dup(MPI_COMM_WORLD, &ranks);
    int rank = 0;
    int size = 1;
    MPI_Comm_rank(ranks, &rank);
    MPI_Comm_size(ranks, &size);
    testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
    if (rank != 0) {
        delete listeners.Release(listeners.default_result_printer());
        delete listeners.Release(listeners.default_xml_generator());
    }
    listeners.Append(new RankFailures(ranks, rank, size)); // ends of tests reach the last one first

    const int own = RUN_ALL_TESTS();
    int worst = own;
    MPI_Allreduce(&own, &worst, 1, MPI_INT, MPI_MAX, ranks);
    MPI_Comm_free(&ranks);
    return worst;
}

} // namespace

comm::Environment& mpi_environment() {
    return *environment;
}

} // namespace pillar::support

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    pillar::comm::Environment environment(argc, argv);
    pillar::support::environment = &environment;
    return pillar::support::run_all_tests();
}
