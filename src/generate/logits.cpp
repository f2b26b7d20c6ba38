// An HDF5 file with /ids (T) and /logits (T × vocabulary, f32), gathered and written in pieces.

#include "pillar/generate/logits.hpp"

#include "logits_file.hpp"
#include "prompt_tokens.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/text.hpp"
#include "pillar/engine/evaluation.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/session/session.hpp"

#include <fmt/core.h>

namespace pillar::generate {

namespace {

/// Rank 0 only.
std::vector<std::int32_t> ids_of(const LogitsOptions& options,
                                 const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                                 FunctionRef<void()> heartbeat) {
    if (options.ids.empty())
        return read_prompt_tokens(options.prompt, tokenizer, n_context, heartbeat).ids;
    std::vector<std::int32_t> ids;
    const std::size_t vocab_size = tokenizer.vocabulary().size();
    for (const std::size_t id : options.ids) {
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

} // namespace

int write_logits(const LogitsOptions& options, comm::Environment& environment) {
    const std::size_t n_rows = std::min(options.model.n_batch, engine::evaluation_rows);
    session::SessionNeeds needs;
    needs.max_logit_rows = needs.max_rows = n_rows;
    needs.loop.n_candidates = 0; // nobody picks
    needs.loop.full_logits = true;
    needs.check_outputs = [&] {
        expect_output(options.output, options.force,
                      session::files_read(options.model, {options.prompt.file}));
    };
    std::vector<std::int32_t> ids;
    needs.read_input = [&](const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                           FunctionRef<void()> heartbeat) {
        ids = ids_of(options, tokenizer, n_context, heartbeat);
    };
    session::Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    std::optional<LogitsFile> output;
    std::optional<engine::Evaluation> evaluation;
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        output.emplace(options.output, ids, session.transformer().hyperparameters().vocab_size);
        evaluation.emplace(ids, n_rows, [&](std::size_t /*t*/, std::span<const float> row) {
            comm.heartbeat(); // the disk may be slow
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

} // namespace pillar::generate
