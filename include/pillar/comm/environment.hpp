#pragma once
// MPI's lifetime and this process's place in the job. Parsing of arguments comes before; subcommands that need no MPI
// never construct an Environment.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/errors.hpp"

#include <memory>
#include <string>

namespace pillar::comm {

/// What the launcher's environment variables say (Open MPI, PMIx, PMI, Slurm), without touching MPI.
struct LaunchVariables {
    int rank = 0;
    int size = 1;
    std::string launcher; ///< "mpirun", "srun" or "" for none
};
LaunchVariables read_launch_variables();

/// MPI_Init_thread(FUNNELED) … MPI_Finalize. The destructor does not finalize while an exception unwinds.
class Environment {
  public:
    /// Collective. Throws Error(usage) when a launcher says more than one rank but MPI's world has one (a mislaunch:
    /// srun without PMIx, another MPI's mpirun), with the hint that mends it; Error(internal) without FUNNELED.
    Environment(int& argc, char**& argv);
    ~Environment();
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    /// Collective. A communicator of all ranks with the given all-reduce and wire.
    [[nodiscard]] std::unique_ptr<Communicator> world(Algorithm algorithm, Wire wire);

  private:
    int exceptions_at_start_;
};

/// End the whole job with `code` after a sentence has been printed. Safe when MPI is not running.
[[noreturn]] void abort_job(ExitCode code) noexcept;

} // namespace pillar::comm
