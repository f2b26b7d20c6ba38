// Planted environments of mpirun, srun, sbatch and salloc, and what follows from them.

#include "pillar/comm/launch_variables.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <optional>

namespace pillar::comm {
namespace {

using testing::HasSubstr;

constexpr const char* all_variables[] = {"OMPI_COMM_WORLD_RANK",
                                         "OMPI_COMM_WORLD_SIZE",
                                         "OMPI_APP_CTX_NUM_PROCS",
                                         "OMPI_COMM_WORLD_LOCAL_SIZE",
                                         "MPI_LOCALNRANKS",
                                         "SLURM_STEP_NUM_NODES",
                                         "PMIX_RANK",
                                         "PMIX_NAMESPACE",
                                         "PMI_RANK",
                                         "PMI_SIZE",
                                         "PMI_FD",
                                         "PMI_PORT",
                                         "SLURM_STEP_ID",
                                         "SLURM_STEP_NUM_TASKS",
                                         "SLURM_NTASKS",
                                         "SLURM_PROCID"};

/// While it lives the launchers' variables are these and no others.
class PlantedEnvironment {
  public:
    explicit PlantedEnvironment(const std::map<std::string, std::string>& variables) {
        for (const char* name : all_variables) {
            const char* value = std::getenv(name);
            before_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
            ::unsetenv(name);
        }
        for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    }
    ~PlantedEnvironment() {
        for (const auto& [name, value] : before_) {
            if (value) {
                ::setenv(name.c_str(), value->c_str(), 1);
            } else {
                ::unsetenv(name.c_str());
            }
        }
    }
    PlantedEnvironment(const PlantedEnvironment&) = delete;
    PlantedEnvironment& operator=(const PlantedEnvironment&) = delete;

  private:
    std::map<std::string, std::optional<std::string>> before_;
};

LaunchVariables read(const std::map<std::string, std::string>& variables) {
    const PlantedEnvironment planted(variables);
    return read_launch_variables();
}

void expect(const LaunchVariables& launch, int rank, int size, std::string_view launcher) {
    EXPECT_EQ(launch.rank, rank);
    EXPECT_EQ(launch.size, size);
    EXPECT_EQ(launch.launcher, launcher);
}

TEST(launch_variables, of_a_plain_start_say_one_rank) {
    const LaunchVariables launch = read({});
    expect(launch, 0, 1, "");
    EXPECT_TRUE(launch.can_connect);
}

TEST(launch_variables, of_open_mpi_come_before_slurms) {
    const LaunchVariables launch = read({{"OMPI_COMM_WORLD_RANK", "2"},
                                         {"OMPI_COMM_WORLD_SIZE", "4"},
                                         {"PMIX_RANK", "2"},
                                         {"SLURM_STEP_ID", "0"},
                                         {"SLURM_PROCID", "1"},
                                         {"SLURM_STEP_NUM_TASKS", "2"}});
    expect(launch, 2, 4, "mpirun");
    EXPECT_TRUE(launch.can_connect);
}

TEST(launch_variables, tell_whether_all_ranks_are_on_one_host) {
    const auto on_one_host = [](const char* n_here, const char* n_nodes) {
        return read({{"OMPI_COMM_WORLD_RANK", "2"},
                     {"OMPI_COMM_WORLD_SIZE", "4"},
                     {"OMPI_COMM_WORLD_LOCAL_SIZE", n_here},
                     {"SLURM_STEP_NUM_NODES", n_nodes}})
            .is_one_host;
    };
    EXPECT_TRUE(on_one_host("4", "1"));
    EXPECT_FALSE(on_one_host("2", "1")); // mpirun on two nodes within a step on one
    const std::map<std::string, std::string> step = {
        {"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "4"}};
    EXPECT_FALSE(read(step).is_one_host); // not known
    auto on_two = step, on_one = step;
    on_two["SLURM_STEP_NUM_NODES"] = "2";
    on_one["SLURM_STEP_NUM_NODES"] = "1";
    EXPECT_FALSE(read(on_two).is_one_host);
    EXPECT_TRUE(read(on_one).is_one_host);
}

TEST(launch_variables, of_hydra_are_an_mpirun_also_when_its_proxies_run_in_a_slurm_step) {
    expect(read({{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}}), 3, 4, "mpirun");
    expect(read({{"PMI_RANK", "3"},
                 {"PMI_SIZE", "4"},
                 {"SLURM_STEP_ID", "1"},
                 {"SLURM_PROCID", "1"},
                 {"SLURM_STEP_NUM_TASKS", "2"}}),
           3, 4, "mpirun");
}

TEST(launch_variables, of_srun_with_pmi2_are_an_srun) {
    expect(read({{"PMI_RANK", "1"},
                 {"PMI_SIZE", "2"},
                 {"SLURM_STEP_ID", "1"},
                 {"SLURM_PROCID", "1"},
                 {"SLURM_STEP_NUM_TASKS", "2"}}),
           1, 2, "srun");
}

TEST(launch_variables, of_srun_with_pmix_can_connect) {
    const LaunchVariables launch = read({{"SLURM_STEP_ID", "0"},
                                         {"SLURM_PROCID", "1"},
                                         {"SLURM_NTASKS", "8"},
                                         {"SLURM_STEP_NUM_TASKS", "4"},
                                         {"PMIX_RANK", "1"},
                                         {"PMIX_NAMESPACE", "slurm.pmix"}});
    expect(launch, 1, 4, "srun");
    EXPECT_TRUE(launch.can_connect);
}

TEST(launch_variables, of_srun_without_pmix_cannot_connect) {
    const LaunchVariables launch =
        read({{"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "4"}});
    expect(launch, 1, 4, "srun");
    EXPECT_FALSE(launch.can_connect);
}

TEST(launch_variables, of_a_batch_script_are_no_step) {
    const LaunchVariables launch = read({{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}});
    expect(launch, 0, 1, "");
    EXPECT_TRUE(launch.can_connect);
    // Some versions number the batch script and salloc's shell as steps of their own.
    for (const char* special : {"4294967291", "4294967290", "-5"}) {
        expect(read({{"SLURM_STEP_ID", special}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}}), 0,
               1, "");
    }
}

TEST(launch_variables, of_a_shell_in_a_step_of_one_task_say_one_rank) {
    expect(read({{"SLURM_STEP_ID", "0"},
                 {"SLURM_STEP_NUM_TASKS", "1"},
                 {"SLURM_NTASKS", "8"},
                 {"SLURM_PROCID", "0"}}),
           0, 1, "srun");
}

TEST(launch_variables, of_pmix_alone_tell_the_rank_and_a_least_size) {
    expect(read({{"PMIX_RANK", "0"}}), 0, 1, "mpirun");
    expect(read({{"PMIX_RANK", "3"}}), 3, 4, "mpirun");
}

TEST(launch_variables, that_are_no_numbers_are_as_if_absent) {
    expect(read({{"OMPI_COMM_WORLD_RANK", "two"}, {"OMPI_COMM_WORLD_SIZE", "4"}}), 0, 1, "");
    expect(read({{"OMPI_COMM_WORLD_RANK", "4"}, {"OMPI_COMM_WORLD_SIZE", "4"}}), 0, 1, "");
    expect(read({{"OMPI_COMM_WORLD_RANK", ""}, {"OMPI_COMM_WORLD_SIZE", "99999999999999999999"}}),
           0, 1, "");
    expect(read({{"PMIX_RANK", "-2"}}), 0, 1, "");
}

TEST(mislaunch, is_several_tasks_that_are_each_alone) {
    const std::string srun = describe_mislaunch({1, 4, "srun", false}, 1, "Open MPI v4.1.4");
    EXPECT_THAT(srun, HasSubstr("srun started 4 tasks"));
    EXPECT_THAT(srun, HasSubstr("srun --mpi=pmix"));
    EXPECT_THAT(srun, HasSubstr("mpirun pillar"));
    const std::string mpirun = describe_mislaunch({1, 4, "mpirun", true}, 1, "Open MPI v4.1.4");
    EXPECT_THAT(mpirun, HasSubstr("another MPI than Open MPI v4.1.4"));
}

TEST(mislaunch, is_not_a_real_job_nor_a_single_rank) {
    EXPECT_EQ(describe_mislaunch({1, 4, "mpirun", true}, 4, "x"), "");
    EXPECT_EQ(describe_mislaunch({0, 1, "", true}, 1, "x"), "");
    EXPECT_EQ(describe_mislaunch({0, 1, "srun", false}, 1, "x"), "");
}

TEST(launch_variables, tell_the_programs_of_one_mpirun) {
    const auto of = [](const char* rank, const char* size, const char* ranks_of_programs) {
        return read({{"OMPI_COMM_WORLD_RANK", rank},
                     {"OMPI_COMM_WORLD_SIZE", size},
                     {"OMPI_APP_CTX_NUM_PROCS", ranks_of_programs}});
    };
    EXPECT_EQ(of("0", "2", "2").n_programs, 1);
    EXPECT_TRUE(of("0", "2", "2").is_first);
    EXPECT_FALSE(of("1", "2", "2").is_first);
    EXPECT_EQ(of("2", "4", "1 3").n_programs, 2);
    EXPECT_TRUE(of("0", "4", "1 3").is_first);
    EXPECT_TRUE(of("1", "4", "1 3").is_first);
    EXPECT_FALSE(of("2", "4", "1 3").is_first);
    EXPECT_EQ(of("2", "4", "1 7").n_programs, 1); // of another job around this one
    EXPECT_TRUE(read({}).is_first);
    EXPECT_EQ(read({}).n_programs, 1);
}

} // namespace
} // namespace pillar::comm
