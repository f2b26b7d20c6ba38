#pragma once
// What a subcommand needs to record a trace: its flags, the effective configuration, and the way a
// dying process finds the recorder.

#include "pillar/recording/recorder.hpp"
#include "pillar/sampling/sampling.hpp"
#include "pillar/session/session.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::session {

struct TraceFlags {
    std::string path; ///< empty: no trace
    bool force = false;
    std::int32_t layers = 0; ///< of every so many steps, each layer's times; 0: of none
};

/// The command line as a shell would read it again; set once by parse().
void remember_command_line(int argc, char** argv);
[[nodiscard]] const std::string& command_line();

/// How a run is made, as its trace tells it.
struct RunDescription {
    trace::Configuration config;          ///< effective options, and what is known of the model
    std::vector<trace::RankShare> shares; ///< of every rank
    std::string title;                    ///< "pillar run"
};
/// `subcommand`: "run"
RunDescription describe_run(Session& session, const ModelOptions& options,
                            std::string_view subcommand);
void add_sampling(trace::Configuration& config, const sampling::Parameters& parameters);

/// A recorder that SIGTERM and SIGINT can reach while it lives.
class Tracing {
  public:
    /// Collective. Throws comm::AgreedError when rank 0 cannot create the journal.
    Tracing(Session& session, const TraceFlags& flags, RunDescription description);
    ~Tracing();
    Tracing(const Tracing&) = delete;
    Tracing& operator=(const Tracing&) = delete;
    [[nodiscard]] recording::Recorder& recorder() noexcept { return recorder_; }
    /// Collective. Write the file and say where it is.
    void finish(ExitCode code);

  private:
    recording::Recorder recorder_;
    std::string path_;
};

/// Called by the signal thread: what the living recorder holds goes to its journal.
void flush_trace() noexcept;

} // namespace pillar::session
