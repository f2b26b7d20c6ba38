#include "pillar/generate/run.hpp"

#include "prompt_tokens.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/prompt_cache/prompt_cache.hpp"
#include "pillar/session/draft.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/terminal/standard_output.hpp"
#include "pillar/terminal/streams.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <random>

namespace pillar::generate {

namespace {

using log::Level;

engine::LoopOptions loop_options(const RunOptions& options, const session::Session& session) {
    engine::LoopOptions loop = session::loop_with_draft(
        engine::loop_options_for(options.generation.sampling), options.model);
    if (loop.full_logits)
        log::root(Level::info,
                  "--top-k {} needs whole rows of logits on rank 0: {} floats a token are gathered",
                  loop.sampling.top_k, session.tokenizer().vocabulary().size());
    if (options.generation.ignore_eos) loop.banned = session.tokenizer().end_tokens();
    loop.log_sums = !options.trace.path.empty();
    return loop;
}

/// Collective. One seed for all ranks: the one given, or one that rank 0 chooses.
std::uint64_t common_seed(comm::Communicator& comm, std::optional<std::uint64_t> seed) {
    if (seed) return *seed;
    return comm::broadcast_from_root<std::uint64_t>(comm, std::random_device()());
}

/// Rank 0's text. A reader that leaves ends the run after the step, as a signal does: a trace is
/// written whole.
class Text {
  public:
    explicit Text(comm::Communicator& comm) : comm_(&comm) {}
    void write(std::string_view text) {
        if (has_no_reader_) return;
        try {
            terminal::write_text(text, [this] { comm_->heartbeat(); });
        } catch (const terminal::ReaderLeft&) {
            has_no_reader_ = true;
            engine::request_stop();
        }
    }
    [[nodiscard]] bool has_no_reader() const noexcept { return has_no_reader_; }

  private:
    comm::Communicator* comm_;
    bool has_no_reader_ = false;
};

/// Collective. What the shell sees: a reader that has left wanted no more.
ExitCode exit_code_of(comm::Communicator& comm, bool is_stopped, const Text& text) {
    if (!is_stopped) return ExitCode::done;
    return comm::broadcast_from_root(comm,
                                     text.has_no_reader() ? ExitCode::done : ExitCode::resumable);
}

/// `n_found`: tokens of the prompt that were in the cache.
void print_timings(const engine::Generation& generation, const session::Session& session,
                   std::size_t n_found) {
    const engine::SequenceTimings& t = generation.sequence().timings();
    const std::uint32_t n_runs = t.n_generated > 0 ? t.n_generated - 1 : 0;
    log::root(Level::info, "{:>16} time = {:10.2f} ms", "load", session.load_s() * 1e3);
    log::root(Level::info, "{}",
              session::timing_line("prompt eval", t.prompt_s,
                                   t.n_prompt - static_cast<std::uint32_t>(n_found), "tokens"));
    log::root(Level::info, "{}", session::timing_line("eval", t.generation_s, n_runs, "runs"));
    if (generation.draft_counts().n_proposed > 0)
        log::root(Level::info, "{:>16}        {}", "draft",
                  session::draft_text(generation.draft_counts()));
    log::root(Level::info, "{:>16} time = {:10.2f} ms / {:5} tokens ({})", "total", t.total_s * 1e3,
              t.n_prompt + t.n_generated, engine::name_of(generation.sequence().finish_reason()));
}

session::RunDescription description_of(const RunOptions& options, session::Session& session) {
    session::RunDescription description = session::describe_run(session, options.model, "run");
    trace::Configuration& config = description.config;
    config.set<"n_sequences">(1);
    config.set<"n_predict">(options.generation.n_predict);
    config.set<"ignore_eos">(options.generation.ignore_eos);
    session::add_sampling(config, options.generation.sampling);
    return description;
}

/// Rank 0 only. All that --quiet tells.
void print_speed(const engine::Generation& generation) {
    const engine::SequenceTimings& t = generation.sequence().timings();
    const std::uint32_t n_after_first = t.n_generated > 0 ? t.n_generated - 1 : 0;
    log::set_level(Level::info);
    log::root(Level::info, "{}, {:.2f} tokens per second", counted(t.n_generated, "token"),
              t.generation_s > 0 ? n_after_first / t.generation_s : 0.0);
}

} // namespace

int run(const RunOptions& given, comm::Environment& environment) {
    RunOptions options = given;
    if (options.quiet) log::set_level(Level::warning);
    for (const std::string& stop : options.stops)
        options.generation.stops.push_back(options.prompt.escape ? terminal::process_escapes(stop)
                                                                 : stop);
    Prompt prompt;
    session::SessionNeeds needs;
    needs.loop = session::loop_with_draft(engine::loop_options_for(options.generation.sampling),
                                          options.model);
    needs.max_logit_rows = session::logit_rows_with_draft(options.model, 1);
    prompt_cache::PromptCache cache(options.prompt_cache, options.model);
    needs.keeps_windows = cache.is_wanted();
    needs.check_outputs = [&] {
        terminal::expect_standard_output();
        cache.expect_place({options.prompt.file, options.trace.path});
        if (!options.trace.path.empty())
            recording::check_output(options.trace.path, options.trace.force,
                                    session::files_read(options.model, {options.prompt.file}));
    };
    needs.read_input = [&](const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                           FunctionRef<void()> heartbeat) {
        prompt = read_prompt_tokens(options.prompt, tokenizer, n_context, heartbeat);
        cache.open(n_context);
    };
    session::Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    options.generation.sampling.seed = common_seed(comm, options.seed);
    options.generation.n_context = session.transformer().options().n_context;
    options.generation.max_rows = options.model.n_batch;

    std::unique_ptr<engine::Proposer> proposer;
    std::optional<engine::Generation> generation;
    Text output(comm);
    const std::size_t n_prompt = prompt.ids.size(); // rank 0's
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        proposer = session::make_proposer(session, options.model);
        generation.emplace(
            session.tokenizer(), std::move(prompt.ids), prompt.text, options.generation,
            [&output](std::string_view piece) { output.write(piece); }, proposer.get());
    });
    session.tune_allreduce(environment, options.model, n_prompt);
    if (options.generation.sampling.temperature > 0)
        log::root(Level::info, "seed     {}", options.generation.sampling.seed);

    std::optional<session::Tracing> tracing;
    if (!options.trace.path.empty()) {
        session::RunDescription description;
        comm::agree(comm, [&] { description = description_of(options, session); });
        tracing.emplace(session, options.trace, std::move(description));
    }

    engine::LoopOptions loop_wanted;
    comm::agree(comm, [&] { loop_wanted = loop_options(options, session); });
    engine::Loop loop(session.transformer(), comm, loop_wanted, session.draft());
    if (tracing) {
        loop.observe(&tracing->recorder());
        if (generation) generation->observe(&tracing->recorder());
    }
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    std::size_t n_found = 0;
    if (cache.is_wanted()) {
        const std::size_t n = generation ? cache.n_found(generation->sequence().tokens()) : 0;
        const auto found = cache.load(comm, session.transformer(), 0, n);
        loop.set_tokens(0, found);
        n_found = found.size();
        if (generation) generation->begin_with(n_found);
    }
    const bool is_watched = comm.is_root() && terminal::on_terminal();
    // The last line before the answer, which begins behind it.
    if (is_watched && options.display_prompt && !options.quiet) log::text(prompt.text);
    if (is_watched) terminal::let_streams_arrive();
    const bool is_stopped = loop.run(comm.is_root() ? &*generation : nullptr);
    comm::agree(comm, [&] {
        if (generation) output.write("\n");
    });
    if (is_watched) terminal::let_streams_arrive();
    const ExitCode code = exit_code_of(comm, is_stopped, output);
    if (tracing) tracing->finish(code);
    if (cache.is_wanted())
        cache.save(comm, session.transformer(), 0,
                   generation ? generation->prompt_in_cache() : std::span<const std::int32_t>());
    if (generation && options.quiet)
        print_speed(*generation);
    else if (generation)
        print_timings(*generation, session, n_found);
    return static_cast<int>(code);
}

} // namespace pillar::generate
