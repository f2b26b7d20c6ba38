// MPI_Init_thread, MPI_Finalize, MPI_Abort.

#include "pillar/comm/environment.hpp"

#include "liveness/backoff.hpp"
#include "liveness/hard_timeout.hpp"
#include "liveness/liveness_probe.hpp"
#include "liveness/watchdog.hpp"
#include "mpi/mpi_communicator.hpp"
#include "mpi/mpi_error.hpp"

#include "pillar/core/program.hpp"
#include "pillar/core/timing.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/core.h>
#include <mpi.h>

namespace pillar::comm {

std::string mpi_library() {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    const std::string whole(text, static_cast<std::size_t>(length));
    return printable(whole.substr(0, whole.find_first_of(",\n")));
}

namespace {

void refuse_mislaunch(const LaunchVariables& launch, int world_size) {
    const std::string sentence = describe_mislaunch(launch, world_size, mpi_library());
    if (!sentence.empty()) throw UsageError(sentence);
}

constexpr double max_start_s = 600;

/// Ends this process when the object lives too long: inside MPI_Init and MPI_Finalize nothing else
/// can.
class Deadline {
  public:
    explicit Deadline(std::string_view what)
        : hard_timeout_([what] {
              return fmt::format("{} within {:g} s: is a process stopped, a node or a cable gone, "
                                 "or did a rank run another subcommand?",
                                 what, max_start_s);
          }) {
        hard_timeout_.arm(monotonic_s() + max_start_s);
    }

  private:
    HardTimeout hard_timeout_;
};

bool is_running() noexcept {
    int is_initialized = 0;
    int is_finalized = 0;
    MPI_Initialized(&is_initialized);
    MPI_Finalized(&is_finalized);
    return is_initialized != 0 && is_finalized == 0;
}

} // namespace

Environment::Environment(int& argc, char**& argv)
    : exceptions_at_start_(std::uncaught_exceptions()), launch_(read_launch_variables()) {
    if (!launch_.can_connect) {
        // MPI_Init would end the process with a page about how Open MPI was built.
        refuse_mislaunch(launch_, 1);
        // One process in a step without PMIx is a job of one rank; Open MPI believes so once it
        // sees no node list.
        ::unsetenv("SLURM_NODELIST");
    }
    int provided = MPI_THREAD_SINGLE;
    {
        const Deadline deadline("the ranks did not find each other");
        check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    }
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &n_ranks_), "MPI_Comm_size");
    try {
        refuse_mislaunch(launch_, n_ranks_);
        if (provided < MPI_THREAD_FUNNELED) {
            throw Error(ExitCode::internal,
                        mpi_library() + " offers no MPI_THREAD_FUNNELED: it was built without "
                                        "threads");
        }
    } catch (...) {
        MPI_Finalize(); // the same on all ranks
        throw;
    }
    probe_ = std::make_unique<LivenessProbe>(launch_.is_one_host);
}

namespace {

/// Wait until all ranks have come to the end. One that fails now ends the job while the others wait
/// here: inside MPI_Finalize it would find them in the launcher's own barrier, where Open MPI 4.1's
/// mpirun may hang or crash.
void barrier_before_finalizing(Backoff waiting) noexcept {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    for (int is_done = 0; is_done == 0; waiting.pause()) {
        MPI_Test(&request, &is_done, MPI_STATUS_IGNORE);
    }
}

} // namespace

Environment::~Environment() {
    if (std::uncaught_exceptions() > exceptions_at_start_ || !is_running()) return;
    std::optional<Deadline> deadline;
    std::optional<Watchdog> watchdog;
    try {
        watchdog.emplace(*probe_, nullptr, limits_);
        watchdog->set_stage(Stage::end);
    } catch (const Error&) { // no memory for a thread: then nobody but the launcher ends a wait
    }
    const PollHook hook = [](void* dog, double since_s) {
        static_cast<Watchdog*>(dog)->poll(since_s);
    };
    barrier_before_finalizing({monotonic_s(), idle_sleep_after_s, true, watchdog ? hook : nullptr,
                               watchdog ? &*watchdog : nullptr});
    watchdog.reset();
    try {
        deadline.emplace("a rank did not come to the end");
    } catch (const Error&) { // as above
    }
    probe_.reset();
    MPI_Finalize();
}

std::unique_ptr<Communicator> Environment::world(Algorithm algorithm, Wire wire,
                                                 const std::optional<NetworkModel>& emulated,
                                                 const WatchLimits& limits) {
    require_available(algorithm, wire);
    limits_ = limits;
    return std::make_unique<MpiCommunicator>(MPI_COMM_WORLD, *probe_, algorithm, wire, emulated,
                                             limits);
}

void abort_job(ExitCode code) noexcept {
    int is_main = 0;
    if (is_running()) MPI_Is_thread_main(&is_main);
    run_abort_hook();
    if (is_main != 0) {
        std::fflush(stdout);
        MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
    }
    std::_Exit(static_cast<int>(code));
}

} // namespace pillar::comm
