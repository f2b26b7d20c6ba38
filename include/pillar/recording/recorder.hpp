#pragma once
// The trace of a run: watches the engine's steps on every rank, gathers their records now and then
// outside the timed region, keeps them in FILE.h5.journal on rank 0 and turns that into FILE.h5 at
// the end. Trouble with the disk ends the trace with one warning, never the run.

#include "pillar/comm/communicator.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/engine/step.hpp"
#include "pillar/trace/configuration.hpp"
#include "pillar/trace/rows.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pillar::recording {

struct TraceOptions {
    std::string path;   ///< FILE.h5; /dev/null: nothing is kept
    bool force = false; ///< replace an existing file or a journal that was left behind
    std::string title;
    std::string command_line;
    trace::Configuration config;          ///< every effective option and what is known of the model
    std::vector<trace::RankShare> shares; ///< one a rank; none: not known
    std::size_t collectives_per_step = 0; ///< at most: engine::max_collectives
    std::uint32_t n_threads = 1;          ///< of this rank
};

/// Rank 0 only. Refuse (IoError, cannot_create) what cannot be written, and an existing file or
/// journal unless forced; refuse (UsageError) what is one of `inputs`, the files that are read.
/// Cheap: call it before the model is loaded.
void check_output(const std::string& path, bool force, std::span<const std::string> inputs = {});

class Recorder : public engine::StepObserver {
  public:
    /// Gather at the latest after so many steps, or so many seconds of steps.
    static constexpr std::size_t gather_every_steps = 64;
    static constexpr double gather_every_s = 5.0;
    /// A thread of its own reads the sensors so often, and at the start and the end.
    static constexpr double sensors_every_s = 1.0;

    /// Collective. Create the journal; write header, hosts and clocks. `comm` outlives the
    /// recorder. Throws comm::AgreedError when rank 0 cannot create the journal.
    Recorder(comm::Communicator& comm, const TraceOptions& options);
    /// Keeps in the journal what was not gathered yet, as flush_now does.
    ~Recorder() override;
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    void step(const engine::StepRecord& record) override;
    [[nodiscard]] bool wants_gather() const override;
    /// Collective.
    void gather() override;
    void token(const engine::TokenRecord& record) override;
    void sequence(const engine::SequenceRecord& record) override;

    /// Collective. Gather what is left, write FILE.h5 and remove the journal. True on rank 0 when
    /// the file is there; when not, a warning has said why and what the journal is good for.
    bool finish(ExitCode exit_code);

    /// Local, from any thread, for SIGTERM: bring this rank's own records into the journal and end
    /// it there. Gives up (false) when the recorder is busy for longer than 0.1 s. Does nothing on
    /// ranks above 0.
    bool flush_now() noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace pillar::recording
