#pragma once
// MPI's lifetime. Parsing of arguments comes before; subcommands that need no MPI never construct
// an Environment.

#include "pillar/comm/communicator.hpp"
#include "pillar/comm/launch_variables.hpp"
#include "pillar/comm/network_model.hpp"
#include "pillar/comm/watch_limits.hpp"
#include "pillar/core/errors.hpp"

#include <memory>
#include <optional>
#include <string>

namespace pillar::comm {

class LivenessProbe;

/// "Open MPI v4.1.4": what this process runs with.
std::string mpi_library();

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
    /// as `limits` say, also those in here. With `emulated` the messages of step collectives arrive
    /// no earlier than on that network; what this needs to send is counted into other_traffic().
    /// Throws UsageError if algorithm and wire do not go together, AgreedError(usage) if a network
    /// is to be emulated between several machines or for Algorithm::mpi.
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
