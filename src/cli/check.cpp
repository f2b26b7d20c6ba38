// check: the cluster before a run. Ranks measure, rank 0 judges and prints.

#include "arguments/parser.hpp"
#include "check_gather.hpp"
#include "check_profile.hpp"
#include "check_rules.hpp"
#include "model_file.hpp"
#include "standard_output.hpp"
#include "subcommands.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <system_error>

namespace pillar::cli {

namespace {

struct CheckOptions {
    ModelOptions model;
    std::string profile; ///< file to write
    bool json = false;
    bool force = false;
};

/// Nothing in a check takes a node longer than this.
constexpr double longest_silence_s = 60;

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
        write_text(options.json ? check_json(facts, verdicts) : check_text(facts, verdicts),
                   [&] { comm.attend(); });
    } catch (const ReaderLeft&) {
        return; // the exit code tells the verdict all the same
    }
}

/// Collective. Everybody leaves with rank 0's verdict.
int check(const CheckOptions& options, comm::Environment& environment) {
    const double silence_s =
        options.model.timeout_s == 0 ? longest_silence_s : options.model.timeout_s;
    const auto world = environment.world(comm::Algorithm::recursive_doubling, comm::Wire::f32, {},
                                         {.step_s = silence_s, .setup_s = silence_s});
    comm::Communicator& comm = *world;
    log::set_speaker(comm.rank(), comm.host(comm.rank()));
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        expect_standard_output();
        if (!options.profile.empty())
            expect_output(options.profile, options.force, files_read(options.model, {}));
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
    return std::stoi(
        comm.broadcast_from_root(fmt::format("{}", static_cast<int>(exit_code_of(verdicts)))));
}

} // namespace

void add_check(Parser& parser) {
    auto options = std::make_shared<CheckOptions>();
    Subcommand& sub = parser.add(
        "check", "look at the cluster before a run: nodes, memory, network, the same program and "
                 "model everywhere; write a machine profile for plan");
    ModelOptions& model = options->model;
    add_model_or_synthetic(sub, model, false);
    add_context(sub, model);
    add_batch_size(sub, model);
    add_threads(sub, model);
    sub.add(Ranks::may_differ, "--timeout", "S",
            "seconds that a node may stay silent before it is named and the check ends; 0 = 60")
        .real(model.timeout_s, 0, 1e6);
    sub.add(Ranks::may_differ, "-o,--output", "FILE.json", "write a machine profile")
        .name(options->profile);
    sub.add_switch(Ranks::may_differ, "--force", options->force,
                   "with -o: replace an existing file");
    sub.add_switch(Ranks::may_differ, "--json", options->json, "print verdicts and facts as JSON");
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return check(*options, environment);
        };
    });
}

} // namespace pillar::cli
