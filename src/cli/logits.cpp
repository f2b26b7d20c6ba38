// logits: the model's logits after every given token, for comparison with other engines. An HDF5
// file with /ids (T) and /logits (T × vocabulary, f32), gathered and written in pieces.

#include "logits_file.hpp"
#include "session.hpp"
#include "subcommands.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/engine/evaluation.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>

namespace pillar::cli {

namespace {

struct LogitsOptions {
    ModelOptions model;
    PromptOptions prompt;
    std::vector<std::int32_t> ids;
    std::string output = "logits.h5";
    bool force = false;
};

/// Rank 0 only.
std::vector<std::int32_t> ids_of(const LogitsOptions& options, Session& session,
                                 std::size_t n_context) {
    std::vector<std::int32_t> ids = options.ids;
    if (ids.empty())
        ids = session.tokenizer().encode(
            read_prompt(options.prompt, [&] { session.comm().attend(); }));
    if (ids.empty()) throw UsageError("no tokens: the text is empty");
    const std::size_t vocab_size = session.tokenizer().vocabulary().size();
    for (const std::int32_t id : ids)
        if (id < 0 || static_cast<std::size_t>(id) >= vocab_size)
            throw UsageError(
                fmt::format("--ids: {} is not in the vocabulary of {} tokens", id, vocab_size));
    if (ids.size() > n_context)
        throw UsageError(
            fmt::format("{} tokens do not fit the context of {}; give a larger --ctx-size",
                        ids.size(), n_context));
    return ids;
}

int logits(const LogitsOptions& options, comm::Environment& environment) {
    const std::size_t n_rows = std::min(options.model.n_batch, engine::evaluation_rows);
    SessionNeeds needs;
    needs.max_logit_rows = needs.max_rows = n_rows;
    needs.loop.n_candidates = 0; // nobody picks
    needs.loop.full_logits = true;
    Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    std::vector<std::int32_t> ids;
    std::optional<LogitsFile> output;
    std::optional<engine::Evaluation> evaluation;
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        ids = ids_of(options, session, session.transformer().options().n_context);
        output.emplace(options.output, ids, session.transformer().hyperparameters().vocab_size,
                       options.force);
        evaluation.emplace(ids, n_rows, [&](std::size_t /*t*/, std::span<const float> row) {
            output->append(row);
        });
    });
    session.tune_allreduce(environment, options.model, ids.size());
    engine::Loop loop(session.transformer(), comm, needs.loop);
    const bool signalled = loop.run(comm.is_root() ? &*evaluation : nullptr);
    if (signalled) return static_cast<int>(ExitCode::resumable); // an unfinished file is removed
    comm::agree(comm, [&] {
        if (output) output->close();
    });
    log::root(log::Level::info, "{} rows of logits in {}; whole rows were gathered for them",
              ids.size(), printable(options.output, 4096));
    return 0;
}

} // namespace

void add_logits(CLI::App& app, Command& command) {
    auto options = std::make_shared<LogitsOptions>();
    CLI::App* sub = app.add_subcommand(
        "logits", "write the logits after every token of a text to an HDF5 file");
    add_model_options(*sub, options->model);
    add_prompt_options(*sub, options->prompt);
    sub->add_option("--ids", options->ids, "token ids, taken as they are: 1,2,3")
        ->delimiter(',')
        ->type_name("LIST");
    sub->add_option("-o,--output", options->output, "file to write")
        ->type_name("FILE.h5")
        ->capture_default_str();
    sub->add_flag("--force", options->force, "overwrite an existing file");
    sub->callback([options, &command] {
        command.run_with_ranks = [options](comm::Environment& environment) {
            return logits(*options, environment);
        };
    });
}

} // namespace pillar::cli
