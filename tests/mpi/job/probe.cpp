// A small job for the scripts beside this file: it starts as pillar does, plays one part, and ends
// as pillar does.
//   probe world            "rank R of P" on stdout
//   probe binding          rank 0: default threads and the warning about the binding on stdout
//   probe agree_fails      the last rank's setup fails with 65
//   probe truncates        rank 0 broadcasts more than the others have room for
//   probe aborts           rank 0 ends the job with 75 while the others wait
//   probe aborts_elsewhere the same from a thread that has not started MPI
//   probe endless FOLDER   steps for ever; each rank leaves its process id in FOLDER/R
//   probe watched FOLDER   the same, and a rank may be silent for a second
//   probe halves FOLDER    the same with four all-reduces a layer
//   probe frozen RANK      that rank stops itself as soon as MPI has started; it may be silent for
//   a second probe frozen_later RANK  the same when all have met, before the ranks' second
//   communicator probe careless         rank 1 is alive but comes to no collective any more; it may
//   be silent for a second

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/environment.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/core/log.hpp"

#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace pillar;

/// Of eight layers each.
void make_steps(comm::Communicator& comm, std::size_t allreduces_a_layer,
                FunctionRef<bool()> goes_on) {
    comm.set_in_steps(true);
    comm.set_allreduces_a_layer(allreduces_a_layer);
    std::vector<std::byte> buffer(64);
    std::vector<float> values(64);
    comm::GatherBuffer answers(comm.size(), buffer.size());
    while (goes_on()) {
        comm.broadcast(buffer, buffer.size());
        for (std::size_t i = 0; i < 8 * allreduces_a_layer; ++i) comm.allreduce(values);
        comm.gather(buffer, answers);
    }
}

void play(comm::Communicator& comm, const comm::LaunchVariables& launch, const std::string& part,
          const std::string& folder) {
    if (part == "world") {
        fmt::print("rank {} of {}\n", comm.rank(), comm.size());
    } else if (part == "binding") {
        const comm::Binding binding = comm::examine_binding(comm, 0, launch.launcher);
        if (comm.is_root())
            fmt::print("{} threads\n{}\n", binding.n_threads_default, binding.warning);
    } else if (part == "agree_fails") {
        comm::agree(comm, [&] {
            if (comm.rank() == comm.size() - 1) throw Error(ExitCode::bad_data, "bad header");
        });
    } else if (part == "truncates") {
        std::vector<std::byte> buffer(comm.is_root() ? 100 : 10);
        comm.broadcast(buffer, buffer.size());
    } else if (part == "aborts") {
        fmt::print("text before the end"); // still in the buffer
        if (comm.is_root()) comm::abort_job(ExitCode::resumable);
        comm.barrier();
    } else if (part == "aborts_elsewhere") {
        if (comm.is_root()) std::thread([] { comm::abort_job(ExitCode::resumable); }).join();
        comm.barrier();
    } else if (part == "endless" || part == "watched" || part == "halves") {
        std::ofstream(fmt::format("{}/{}.part", folder, comm.rank())) << ::getpid() << '\n';
        const std::string name = fmt::format("{}/{}", folder, comm.rank());
        std::rename((name + ".part").c_str(), name.c_str());
        make_steps(comm, part == "halves" ? 4 : 2, [] { return true; });
    } else if (part == "careless") {
        int n_steps = 0;
        make_steps(comm, 2, [&] { return comm.rank() != 1 || ++n_steps < 100; });
        for (;;) ::pause();
    } else {
        throw UsageError("no such part: " + part);
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::string part = argc > 1 ? argv[1] : "";
    const std::string folder = argc > 2 ? argv[2] : "";
    const bool is_impatient = part == "watched" || part == "halves" || part == "careless" ||
                              part == "frozen" || part == "frozen_later";
    const comm::WatchLimits limits =
        is_impatient ? comm::WatchLimits{.step_s = 1, .setup_s = 1} : comm::WatchLimits{};
    try {
        comm::Environment environment(argc, argv);
        const bool is_victim = std::to_string(environment.launch().rank) == folder;
        if (part == "frozen" && is_victim) ::raise(SIGSTOP);
        const auto world = [&] {
            return environment.world(comm::Algorithm::recursive_doubling, comm::Wire::f32, {},
                                     limits);
        };
        const auto comm = world();
        if (part == "frozen_later") {
            if (is_victim) ::raise(SIGSTOP);
            (void)world();
        }
        log::set_identity(comm->rank(), comm->host(comm->rank()));
        try {
            play(*comm, environment.launch(), part, folder);
        } catch (const comm::AgreedError& error) {
            log::root(log::Level::error, "{}", error.what());
            return static_cast<int>(error.code());
        }
    } catch (const Error& error) {
        log::error("{}", error.what());
        comm::abort_job(error.code());
    }
    return 0;
}
