#pragma once
// MPI's lifetime and this process's place in the job. Parsing of arguments comes before;
// subcommands that need no MPI never construct an Environment.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/errors.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pillar::comm {

class LivenessProbe;

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

/// "Open MPI v4.1.4": what this process runs with.
std::string mpi_library();

/// Why this is not the job that was meant, with what mends it: a launcher says several ranks, but
/// MPI's world has one. Empty: nothing wrong.
std::string describe_mislaunch(const LaunchVariables& launch, int world_size,
                               std::string_view mpi_library);

/// A network to emulate on one machine: what a message of n bytes takes is latency + n ·
/// s_per_byte, and each rank's cable carries one message at a time in each direction.
struct NetworkModel {
    double latency_s = 0;  ///< α
    double s_per_byte = 0; ///< G
};

/// MPI_Init_thread(FUNNELED) … MPI_Finalize. The destructor does not finalize while an exception
/// unwinds: the other ranks may not come. So an AgreedError is best caught while the Environment
/// lives: finalizing then keeps all ranks until rank 0's sentence is out; any other error ends with
/// abort_job.
class Environment {
  public:
    /// Collective. Throws Error(usage) when a launcher says more than one rank but MPI's world has
    /// one (a mislaunch: srun without PMIx, another MPI's mpirun), with the hint that mends it;
    /// Error(internal) without FUNNELED.
    Environment(int& argc, char**& argv);
    ~Environment();
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    /// Collective. A communicator of all ranks with the given all-reduce and wire; waits on it end
    /// as `limits` say, also those in here. With `emulated`
    /// the messages of step collectives arrive no earlier than on that network; what this needs to
    /// send is counted into other_traffic(). Throws UsageError if algorithm and wire do not go
    /// together, AgreedError(usage) if a network is to be emulated between several machines or for
    /// Algorithm::mpi.
    [[nodiscard]] std::unique_ptr<Communicator>
    world(Algorithm algorithm, Wire wire, const std::optional<NetworkModel>& emulated = {},
          const WatchLimits& limits = {});

    [[nodiscard]] int n_ranks() const noexcept { return n_ranks_; }
    /// As they were before MPI started.
    [[nodiscard]] const LaunchVariables& launch() const noexcept { return launch_; }

  private:
    int exceptions_at_start_;
    LaunchVariables launch_;
    int n_ranks_ = 1;
    WatchLimits limits_;                   ///< of the last communicator: for the end
    std::unique_ptr<LivenessProbe> probe_; ///< of all communicators
};

/// End the whole job with `code` after a sentence has been printed; what is to be saved
/// (set_abort_hook) and what is buffered for stdout is written first. Safe when MPI is not running;
/// on another thread than the one that started MPI it ends this process alone, which the launcher
/// turns into the end of the job.
[[noreturn]] void abort_job(ExitCode code) noexcept;

} // namespace pillar::comm
