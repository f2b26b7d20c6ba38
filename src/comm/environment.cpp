// MPI_Init_thread, MPI_Finalize, MPI_Abort.

#include "pillar/comm/environment.hpp"

#include "backstop.hpp"
#include "mpi_communicator.hpp"
#include "mpi_error.hpp"
#include "patience.hpp"

#include "pillar/core/stopwatch.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
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

constexpr double longest_start_s = 600;

/// Ends this process when the object lives too long: inside MPI_Init and MPI_Finalize nothing else
/// can.
class Deadline {
  public:
    explicit Deadline(std::string_view what)
        : backstop_([what] {
              return fmt::format("{} within {:g} s: is a process stopped, a node or a cable gone, "
                                 "or did a rank run another subcommand?",
                                 what, longest_start_s);
          }) {
        backstop_.arm(monotonic_s() + longest_start_s);
    }

  private:
    Backstop backstop_;
};

using LastWords = void (*)() noexcept;
std::atomic<LastWords> last_words{nullptr};

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
    int world_size = 1;
    check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &world_size), "MPI_Comm_size");
    try {
        refuse_mislaunch(launch_, world_size);
        if (provided < MPI_THREAD_FUNNELED) {
            throw Error(ExitCode::internal,
                        mpi_library() + " offers no MPI_THREAD_FUNNELED: it was built without "
                                        "threads");
        }
    } catch (...) {
        MPI_Finalize(); // the same on all ranks
        throw;
    }
}

namespace {

/// Wait until all ranks have come to the end. One that fails now ends the job while the others wait
/// here: inside MPI_Finalize it would find them in the launcher's own barrier, where Open MPI 4.1's
/// mpirun may hang or crash.
void meet_before_finalizing() noexcept {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    Patience waiting(monotonic_s(), idle_sleep_after_s, true, nullptr, nullptr);
    for (int is_done = 0; is_done == 0; waiting.pause()) {
        MPI_Test(&request, &is_done, MPI_STATUS_IGNORE);
    }
}

} // namespace

Environment::~Environment() {
    if (std::uncaught_exceptions() > exceptions_at_start_ || !is_running()) return;
    const Deadline deadline("a rank did not come to the end");
    meet_before_finalizing();
    MPI_Finalize();
}

std::unique_ptr<Communicator> Environment::world(Algorithm algorithm, Wire wire,
                                                 const std::optional<NetworkModel>& emulated) {
    require_available(algorithm, wire);
    return std::make_unique<MpiCommunicator>(MPI_COMM_WORLD, algorithm, wire, emulated);
}

void before_abort(void (*callback)() noexcept) noexcept {
    last_words.store(callback);
}

void abort_job(ExitCode code) noexcept {
    int is_main = 0;
    if (is_running()) MPI_Is_thread_main(&is_main);
    if (const LastWords callback = last_words.exchange(nullptr)) callback();
    if (is_main != 0) {
        std::fflush(stdout);
        MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
    }
    std::_Exit(static_cast<int>(code));
}

} // namespace pillar::comm
