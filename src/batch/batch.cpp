#include "pillar/batch/batch.hpp"

#include "progress.hpp"
#include "work.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/text.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/prompt_cache/prompt_cache.hpp"
#include "pillar/recording/convert.hpp"
#include "pillar/recording/recorder.hpp"
#include "pillar/session/draft.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/session/session.hpp"
#include "pillar/speculation/model_draft.hpp"
#include "pillar/terminal/standard_output.hpp"
#include "pillar/terminal/streams.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>

namespace pillar::batch {

namespace {

using log::Level;

std::optional<std::uint64_t> number_of_environment(const char* name) {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    const std::string_view view(text);
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(view.data(), view.data() + view.size(), number);
    if (failure != std::errc() || end != view.data() + view.size()) return std::nullopt;
    return number;
}

/// The one given, else that of this task of a Slurm array, else everything.
Shard shard_of(const BatchOptions& options) {
    if (options.shard) return *options.shard;
    const auto id = number_of_environment("SLURM_ARRAY_TASK_ID");
    const auto first = number_of_environment("SLURM_ARRAY_TASK_MIN");
    const auto count = number_of_environment("SLURM_ARRAY_TASK_COUNT");
    if (!id || !count || *count < 2) return {};
    const std::uint64_t index = *id - first.value_or(0);
    if (*id < first.value_or(0) || index >= *count)
        throw UsageError(
            fmt::format("SLURM_ARRAY_TASK_ID is {}: the array's tasks are not numbered "
                        "one after another; say which lines are this task's with "
                        "--shard I/N",
                        *id));
    return {index, *count};
}

/// Memory of whole rows of logits on rank 0: what few requests ask for is to leave the pool alone.
/// Those beyond it take turns.
constexpr std::size_t full_row_bytes = std::size_t{16} << 20;

/// Requests may ask for anything: room for the most candidates, and for whole rows.
engine::LoopOptions loop_options(const BatchOptions& options) {
    engine::LoopOptions loop;
    loop.sampling = options.sampling;
    loop.n_candidates = sampling::max_candidates;
    loop.log_sums = true;
    return loop; // also for a draft model
}

std::size_t full_rows_of(const session::Session& session) {
    return engine::full_rows_in(full_row_bytes, session.model().h.vocab_size);
}

/// Lines I, I + N, … of `n_lines`.
std::uint64_t lines_of_shard(std::uint64_t n_lines, const Shard& shard) {
    return n_lines <= shard.index ? 0 : (n_lines - shard.index - 1) / shard.count + 1;
}

/// Everything of rank 0.
struct Root {
    Root(const BatchOptions& options, session::Session& session, const Shard& shard,
         terminal::InputLines& input, ResultFile& results)
        : comm(session.comm()), chat_template(find_template(options, session)),
          proposer(session::make_proposer(session, options.model)),
          work(session.tokenizer(), chat_template, why_not, input, results,
               work_options(options, session, shard), [this] { comm.heartbeat(); }),
          batch(
              limits(options, session), [this](bool may_wait) { return work.next(may_wait); },
              [this](std::unique_ptr<engine::Sequence> ended) { work.finished(std::move(ended)); },
              proposer.get()) {
        auto n_lines = input.count([this] { comm.heartbeat(); });
        if (n_lines) n_lines = lines_of_shard(*n_lines, shard);
        progress.emplace(n_lines, terminal::on_terminal() ? 5.0 : 30.0);
        batch.after_steps(
            [this](const engine::BatchCounts& counts) { progress->show(work.counts(), counts); });
    }

    const chat::Template* find_template(const BatchOptions& options, session::Session& session) {
        try {
            return &chat::choose_template(options.chat_template, session.file().metadata());
        } catch (const UsageError& unknown) {
            if (options.chat_template) throw;
            why_not = unknown.what(); // lines of completions need none
            return nullptr;
        }
    }
    static WorkOptions work_options(const BatchOptions& options, session::Session& session,
                                    const Shard& shard) {
        WorkOptions work;
        work.defaults.n_predict = options.n_predict;
        work.defaults.sampling = options.sampling;
        work.defaults.n_context = session.transformer().options().n_context;
        work.shard = shard;
        work.model = std::filesystem::path(session::model_name(options.model)).filename();
        return work;
    }
    static engine::BatchLimits limits(const BatchOptions& options, session::Session& session) {
        const forward::TransformerOptions& model = session.transformer().options();
        return {.max_sequences = model.max_sequences,
                .max_rows = options.model.n_batch,
                .max_prompt_rows = 0,
                .n_pages = model.n_pages,
                .n_context = model.n_context,
                .shares_pages = session.transformer().shares_pages(),
                .n_candidates = sampling::max_candidates,
                .min_candidates =
                    options.model.draft.model.empty() ? 1 : speculation::draft_candidates,
                .max_logit_rows = model.max_logit_rows,
                .max_full_rows = full_rows_of(session)};
    }

    comm::Communicator& comm;
    std::string why_not; ///< there is no template
    const chat::Template* chat_template;
    std::unique_ptr<engine::Proposer> proposer;
    Work work;
    engine::ContinuousBatch batch;
    std::optional<Progress> progress;
};

/// Collective. What an earlier run has computed of the prompts.
void load_cache(prompt_cache::PromptCache& cache, session::Session& session, engine::Loop& loop,
                Root* root) {
    const std::size_t n =
        std::min(cache.tokens().size(), session.transformer().options().n_context);
    std::vector<tokenizer::TokenId> tokens =
        cache.load(session.comm(), session.transformer(), 0, n);
    loop.set_tokens(0, tokens);
    if (root == nullptr) return;
    root->batch.begin_with(std::move(tokens));
    root->batch.pause_after_a_prompt();
}

/// Collective. Of the first prompt: what others begin with is in it. Results matter more than this
/// file.
void save_cache(prompt_cache::PromptCache& cache, session::Session& session, const Root* root) {
    engine::ContinuousBatch::ComputedPrompt prompt;
    if (root != nullptr) prompt = root->batch.computed_prompt().value_or(std::move(prompt));
    const auto sequence = comm::broadcast_from_root<std::int32_t>(session.comm(), prompt.sequence);
    try {
        cache.save(session.comm(), session.transformer(), sequence, prompt.tokens);
    } catch (const comm::AgreedError& failure) {
        log::root(Level::warning, "{}; the batch goes on without it", failure.what());
    }
}

void print_summary(const Root& root, double elapsed_s) {
    const Work::Counts& lines = root.work.counts();
    const engine::BatchCounts& sequences = root.batch.counts();
    log::root(Level::info, "batch    {} done in {:.1f} s{}{}", counted(lines.n_done, "line"),
              elapsed_s, lines.n_bad > 0 ? fmt::format(", {} of them bad", lines.n_bad) : "",
              lines.n_found > 0 ? fmt::format(", {} were there already", lines.n_found) : "");
    log::root(Level::info,
              "batch    {} generated ({:.2f} tokens per second), {} of prompts, {} of them found "
              "computed{}",
              counted(sequences.n_generated, "token"),
              elapsed_s > 0 ? static_cast<double>(sequences.n_generated) / elapsed_s : 0.0,
              sequences.n_prompt, sequences.n_shared_positions,
              sequences.n_set_back > 0
                  ? fmt::format("; set back {} times for want of pages", sequences.n_set_back)
                  : "");
    if (root.batch.draft_counts().n_proposed > 0)
        log::root(Level::info, "draft    {}", session::draft_text(root.batch.draft_counts()));
}

} // namespace

int run_batch(const BatchOptions& given, comm::Environment& environment) {
    BatchOptions options = given;
    options.sampling.seed = options.seed.value_or(0);
    Shard shard;
    std::optional<terminal::InputLines> input;
    std::optional<ResultFile> results;
    session::SessionNeeds needs;
    needs.loop = loop_options(options);
    needs.full_row_bytes = full_row_bytes;
    needs.max_sequences = options.n_parallel;
    needs.max_logit_rows = session::logit_rows_with_draft(options.model, options.n_parallel);
    needs.sizes_pool_by_memory = true;
    prompt_cache::PromptCache cache(options.prompt_cache, options.model);
    needs.keeps_windows = cache.is_wanted();
    needs.check_outputs = [&] {
        shard = shard_of(options);
        cache.expect_place({options.input, options.output, options.trace.path});
        if (options.output == "-") {
            terminal::expect_standard_output();
        } else {
            expect_output(options.output, true, session::files_read(options.model, {options.input}),
                          {});
        }
        if (!options.trace.path.empty())
            recording::check_output(options.trace.path, options.trace.force,
                                    session::files_read(options.model, {options.input}));
        input.emplace(options.input);
    };
    needs.read_input = [&](const tokenizer::Tokenizer&, std::size_t n_context,
                           FunctionRef<void()> heartbeat) {
        cache.open(n_context);
        results.emplace(options.output, options.sync, shard, heartbeat);
        if (results->n_torn() > 0)
            log::root(Level::warning,
                      "{}: its last line was torn ({} bytes); it is cut off and computed again",
                      printable(options.output, 4096), results->n_torn());
        if (results->n_found() > 0)
            log::root(Level::info, "batch    {} of {} there already",
                      printable(options.output, 4096), counted(results->n_found(), "result"));
    };
    session::Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    session.tune_allreduce(environment, options.model, options.model.n_batch);

    std::unique_ptr<Root> root;
    comm::agree(comm, [&] {
        if (comm.is_root())
            root = std::make_unique<Root>(options, session, shard, *input, *results);
    });
    if (shard.count > 1)
        log::root(Level::info, "shard    {} of {} (counted from 0)", shard.index, shard.count);

    std::optional<session::Tracing> tracing;
    if (!options.trace.path.empty()) {
        session::RunDescription description;
        comm::agree(comm, [&] {
            description = session::describe_run(session, options.model, "batch");
            description.config.set<"n_sequences">(options.n_parallel);
            description.config.set<"n_predict">(options.n_predict);
            session::add_sampling(description.config, options.sampling);
        });
        tracing.emplace(session, options.trace, std::move(description));
    }
    engine::LoopOptions loop_wanted = needs.loop;
    loop_wanted.max_full_rows = full_rows_of(session);
    comm::agree(comm, [&] { loop_wanted.banned = session.tokenizer().end_tokens(); });
    engine::Loop loop(session.transformer(), comm, loop_wanted, session.draft());
    if (tracing) {
        loop.observe(&tracing->recorder());
        if (root) root->batch.observe(&tracing->recorder());
    }
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    const Stopwatch clock;
    if (cache.is_wanted()) load_cache(cache, session, loop, root.get());
    loop.run(root ? &root->batch : nullptr);
    if (cache.is_wanted()) {
        save_cache(cache, session, root.get());
        loop.run(root ? &root->batch : nullptr);
    }
    // A signal in the last step has stopped nothing; one that came while the input had no more for
    // now has.
    const bool is_cut_short =
        root && (root->batch.is_stopped() || (engine::stop_requested() && !root->work.is_at_end()));
    const bool is_stopped =
        comm::broadcast_from_root<std::uint32_t>(comm, is_cut_short ? 1 : 0) != 0;
    comm::agree(comm, [&] {
        if (results) results->close();
    });
    const ExitCode code = is_stopped ? ExitCode::resumable : ExitCode::done;
    if (tracing) tracing->finish(code);
    if (root) print_summary(*root, clock.elapsed_s());
    if (is_stopped)
        log::root(Level::info, "batch    stopped; the same command goes on where it was");
    return static_cast<int>(code);
}

} // namespace pillar::batch
