#include "pillar/check/check.hpp"

#include "facts_json.hpp"
#include "gather.hpp"
#include "profile.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace pillar::check {

namespace {

/// Nothing in a check takes a node longer than this.
constexpr double max_silence_s = 60;

void write_profile(const std::string& path, const std::string& text) {
    OutputFile output(path);
    std::FILE* file = std::fopen(output.part().c_str(), "wb");
    if (file == nullptr)
        throw IoError(ExitCode::cannot_create, path,
                      "cannot create: " + std::generic_category().message(errno));
    bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    int reason = errno;
    if (std::fclose(file) != 0 && is_written) {
        is_written = false;
        reason = errno;
    }
    if (!is_written) throw IoError::from_errno(path, "write", reason);
    output.commit();
}

/// Rank 0 only.
void print(const CheckOptions& options, comm::Communicator& comm, const ClusterFacts& facts,
           const std::vector<Verdict>& verdicts) {
    try {
        terminal::write_text(options.json ? check_json(facts, verdicts)
                                          : check_text(facts, verdicts),
                             [&] { comm.heartbeat(); });
    } catch (const terminal::ReaderLeft&) {
        return; // the exit code tells the verdict all the same
    }
}

} // namespace

int check_cluster(const CheckOptions& options, comm::Environment& environment) {
    const double silence_s = options.model.timeout_s == 0 ? max_silence_s : options.model.timeout_s;
    const auto world = environment.world(comm::Algorithm::recursive_doubling, comm::Wire::f32, {},
                                         {.step_s = silence_s, .setup_s = silence_s});
    comm::Communicator& comm = *world;
    log::set_identity(comm.rank(), comm.host(comm.rank()));
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        terminal::expect_standard_output();
        if (!options.profile.empty())
            expect_output(options.profile, options.force, session::files_read(options.model, {}));
    });

    ClusterFacts facts;
    facts.identities = gather_identities(comm);
    std::vector<Verdict> verdicts = judge_identities(facts.identities);
    const bool are_same = exit_code_of(verdicts) == ExitCode::done;
    if (are_same) {
        facts = gather_facts(environment, comm, options.model, std::move(facts.identities));
        verdicts = judge(facts); // on rank 0, which alone knows all
    }
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        if (are_same && !options.profile.empty())
            write_profile(options.profile,
                          perf::profile_text(profile_of(facts), profile_header(facts)));
        print(options, comm, facts, verdicts);
        if (!are_same && !options.profile.empty())
            log::warning("no profile is written: the ranks do not run the same program");
    });
    return static_cast<int>(comm::broadcast_from_root(comm, exit_code_of(verdicts)));
}

} // namespace pillar::check
