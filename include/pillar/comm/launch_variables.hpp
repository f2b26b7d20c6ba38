#pragma once
// This process's place in the job, as its launcher tells it before MPI starts.

#include <string>
#include <string_view>

namespace pillar::comm {

/// What the launcher's environment variables say (Open MPI, PMIx, PMI, Slurm), without touching
/// MPI.
///
/// OMPI_COMM_WORLD_* comes first: mpirun inside a Slurm step starts its ranks under Slurm's
/// variables too. Then PMI_*. Slurm's count only inside a job step (SLURM_STEP_ID): a program
/// started plainly in a batch script or in salloc's shell sees SLURM_NTASKS > 1 as well, but it is
/// one rank. A step's size is SLURM_STEP_NUM_TASKS.
struct LaunchVariables {
    int rank = 0;
    int size = 1;             ///< at least; PMIx alone does not tell it
    std::string launcher;     ///< "mpirun", "srun" or "" for none
    bool can_connect = true;  ///< false: a Slurm step without PMIx or PMI, MPI finds no peers there
    bool is_one_host = false; ///< known to have all ranks on this rank's host
    int n_programs = 1;       ///< that one mpirun has started: `mpirun A : B` has two
    bool is_first = true;     ///< rank of its program, that is
};
/// Call it before MPI starts: Open MPI then adds variables of its own, also to a plain start.
LaunchVariables read_launch_variables();

/// Why this is not the job that was meant, with what mends it: a launcher says several ranks, but
/// MPI's world has one. Empty: nothing wrong.
std::string describe_mislaunch(const LaunchVariables& launch, int world_size,
                               std::string_view mpi_library);

} // namespace pillar::comm
