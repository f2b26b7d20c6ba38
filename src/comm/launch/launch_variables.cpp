// Reading the launchers' environment variables, and what is wrong when MPI does not agree with
// them.

#include "pillar/comm/launch_variables.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fmt/core.h>
#include <optional>
#include <sstream>

namespace pillar::comm {

namespace {

/// Slurm numbers the batch script, salloc's shell and its own keepers as steps from here on.
constexpr long first_special_step = 0xfffffff0;

std::optional<long> number_in(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    long value = 0;
    const char* end = text + std::strlen(text);
    const auto result = std::from_chars(text, end, value);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
    return value;
}

struct RankAndSize {
    int rank;
    int size;
};

std::optional<RankAndSize> rank_and_size_in(const char* rank_variable, const char* size_variable) {
    const auto rank = number_in(rank_variable);
    const auto size = number_in(size_variable);
    if (!rank || !size || *rank < 0 || *rank >= *size || *size > 1'000'000) return std::nullopt;
    return RankAndSize{static_cast<int>(*rank), static_cast<int>(*size)};
}

/// This task's place in its Slurm step; nothing outside a step of tasks.
std::optional<RankAndSize> slurm_rank_and_size() {
    const auto step = number_in("SLURM_STEP_ID");
    if (!step || *step < 0 || *step >= first_special_step) return std::nullopt;
    if (const auto found = rank_and_size_in("SLURM_PROCID", "SLURM_STEP_NUM_TASKS")) return found;
    return rank_and_size_in("SLURM_PROCID", "SLURM_NTASKS");
}

/// Of all ranks; false where no variable says so.
bool are_on_one_host(const LaunchVariables& launch) {
    if (launch.launcher == "srun") return number_in("SLURM_STEP_NUM_NODES") == 1;
    for (const char* variable : {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"}) {
        if (number_in(variable) == launch.size) return true;
    }
    return false;
}

bool offers_process_management() {
    for (const char* variable : {"PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_FD", "PMI_PORT"}) {
        if (std::getenv(variable) != nullptr) return true;
    }
    return false;
}

/// Open MPI tells how many ranks each program of `mpirun A : B` has, in their order: "1 2".
void find_program(LaunchVariables& launch) {
    launch.is_first = launch.rank == 0;
    const char* text = std::getenv("OMPI_APP_CTX_NUM_PROCS");
    if (text == nullptr || launch.launcher != "mpirun") return;
    std::istringstream numbers(text);
    int n_ranks = 0, n_programs = 0, first = 0;
    bool is_first = false;
    for (; numbers >> n_ranks; first += n_ranks, ++n_programs) {
        is_first = is_first || launch.rank == first;
    }
    if (n_programs < 2 || first != launch.size) return; // not of this job
    launch.n_programs = n_programs;
    launch.is_first = is_first;
}

LaunchVariables read_rank_and_size() {
    if (const auto found = rank_and_size_in("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE")) {
        return {found->rank, found->size, "mpirun", true};
    }
    const auto slurm = slurm_rank_and_size();
    if (const auto found = rank_and_size_in("PMI_RANK", "PMI_SIZE")) {
        const bool is_srun = slurm && slurm->rank == found->rank && slurm->size == found->size;
        return {found->rank, found->size, is_srun ? "srun" : "mpirun", true};
    }
    const bool can_connect = std::getenv("SLURM_STEP_ID") == nullptr || offers_process_management();
    if (slurm) return {slurm->rank, slurm->size, "srun", can_connect};
    if (const auto rank = number_in("PMIX_RANK"); rank && *rank >= 0 && *rank < 1'000'000) {
        return {static_cast<int>(*rank), static_cast<int>(*rank) + 1, "mpirun", true};
    }
    return {0, 1, "", can_connect};
}

} // namespace

LaunchVariables read_launch_variables() {
    LaunchVariables launch = read_rank_and_size();
    launch.is_one_host = are_on_one_host(launch);
    find_program(launch);
    return launch;
}

std::string describe_mislaunch(const LaunchVariables& launch, int world_size,
                               std::string_view mpi_library) {
    if (launch.size <= 1 || world_size > 1) return {};
    if (launch.launcher == "srun") {
        return fmt::format("srun started {} tasks, but each is alone: it did not connect them for "
                           "{}; start them with `srun --mpi=pmix pillar ...` (`srun --mpi=list` "
                           "tells what there is) or with `mpirun pillar ...` inside the allocation",
                           launch.size, mpi_library);
    }
    return fmt::format("the launcher started {} ranks or more, but each is alone: it belongs to "
                       "another MPI than {}, which pillar was built with; start it with the "
                       "mpirun of that",
                       launch.size, mpi_library);
}

} // namespace pillar::comm
