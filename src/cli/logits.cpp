// logits: the model's logits after every given token, for comparison with other engines. An HDF5
// file with /ids (T) and /logits (T × vocabulary, f32), gathered and written in pieces.

#include "arguments/parser.hpp"
#include "logits_file.hpp"
#include "model_file.hpp"
#include "prompt_tokens.hpp"
#include "session.hpp"
#include "subcommands.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/counted.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/engine/evaluation.hpp"

#include <fmt/format.h>
#include <memory>

namespace pillar::cli {

namespace {

struct LogitsOptions {
    ModelOptions model;
    PromptOptions prompt;
    std::vector<std::string> ids; ///< lists
    std::string output = "logits.h5";
    bool force = false;
};

/// Rank 0 only.
std::vector<std::int32_t> ids_of(const LogitsOptions& options,
                                 const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                                 FunctionRef<void()> attend) {
    if (options.ids.empty())
        return read_prompt_tokens(options.prompt, tokenizer, n_context, attend).ids;
    std::vector<std::int32_t> ids;
    const std::size_t vocab_size = tokenizer.vocabulary().size();
    for (const std::size_t id : parse_numbers(options.ids, "--ids", 0, INT32_MAX)) {
        if (id >= vocab_size)
            throw UsageError(
                fmt::format("--ids: {} is not in the vocabulary of {} tokens", id, vocab_size));
        ids.push_back(static_cast<std::int32_t>(id));
    }
    if (ids.size() > n_context)
        throw UsageError(fmt::format("{} do not fit the context of {}; give a larger --ctx-size",
                                     counted(ids.size(), "token"), n_context));
    return ids;
}

int logits(const LogitsOptions& options, comm::Environment& environment) {
    const std::size_t n_rows = std::min(options.model.n_batch, engine::evaluation_rows);
    SessionNeeds needs;
    needs.max_logit_rows = needs.max_rows = n_rows;
    needs.loop.n_candidates = 0; // nobody picks
    needs.loop.full_logits = true;
    needs.check_outputs = [&] {
        expect_output(options.output, options.force, files_read(options.model, options.prompt));
    };
    std::vector<std::int32_t> ids;
    needs.read_input = [&](const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                           FunctionRef<void()> attend) {
        ids = ids_of(options, tokenizer, n_context, attend);
    };
    Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    std::optional<LogitsFile> output;
    std::optional<engine::Evaluation> evaluation;
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        output.emplace(options.output, ids, session.transformer().hyperparameters().vocab_size);
        evaluation.emplace(ids, n_rows, [&](std::size_t /*t*/, std::span<const float> row) {
            comm.attend(); // the disk may be slow
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
    log::root(log::Level::info, "{} of logits in {}; whole rows were gathered for them",
              counted(ids.size(), "row"), printable(options.output, 4096));
    return 0;
}

} // namespace

void add_logits(Parser& parser) {
    auto options = std::make_shared<LogitsOptions>();
    Subcommand& sub =
        parser.add("logits", "write the logits after every token of a text to an HDF5 file");
    add_model_options(sub, options->model);
    add_prompt_options(sub, options->prompt);
    sub.add_list(Ranks::may_differ, "--ids", "LIST",
                 "token ids, taken as they are: 1,2,3; may be given again")
        .looks(Flag::Looks::like_a_number)
        .pieces(options->ids);
    sub.add(Ranks::may_differ, "-o,--output", "FILE.h5", "file to write")
        .name(options->output)
        .with_default();
    sub.add_switch(Ranks::may_differ, "--force", options->force, "overwrite an existing file");
    sub.expect([options] {
        (void)parse_numbers(options->ids, "--ids", 0, INT32_MAX);
        if (!options->ids.empty() && (options->prompt.prompt || !options->prompt.file.empty()))
            throw UsageError("--ids and a prompt are given: leave one out");
    });
    sub.when_called([options](Command& command) {
        command.timeout_s = options->model.timeout_s;
        command.run_with_ranks = [options](comm::Environment& environment) {
            return logits(*options, environment);
        };
    });
}

} // namespace pillar::cli
