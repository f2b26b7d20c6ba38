#include "pillar/dialogue/dialogue.hpp"

#include "talk.hpp"
#include "turn_input.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/prompt_cache/prompt_cache.hpp"
#include "pillar/recording/recorder.hpp"
#include "pillar/session/draft.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/session/session.hpp"
#include "pillar/session/tracing.hpp"
#include "pillar/terminal/prompt_text.hpp"
#include "pillar/terminal/standard_output.hpp"
#include "pillar/terminal/streams.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>

namespace pillar::dialogue {

namespace {

/// All ranks are asked to stop one after another: what comes so soon after an answer has ended by a
/// signal is the same request.
constexpr double same_request_s = 1.0;

/// Somebody wants the end while nothing is computed.
struct Stopped {};

/// Throws UsageError where the template has no place for it.
void expect_system(const chat::Template& chat_template, const tokenizer::Tokenizer& tokenizer,
                   const std::string& text) {
    History asked;
    asked.set_system(text);
    asked.say("?");
    (void)chat::render(chat_template, asked.messages(), chat::settings_of(tokenizer));
}

bool has_colours() {
    const char* refused = std::getenv("NO_COLOR");
    return refused == nullptr || *refused == '\0';
}

/// Everything of rank 0.
class Root {
  public:
    Root(const ChatOptions& options, session::Session& session, const chat::Template& chat_template)
        : comm_(session.comm()), is_watched_(terminal::text_is_watched()),
          proposer_(session::make_proposer(session, options.model)),
          talk_(
              session.tokenizer(), chat_template, talk_options(options, session, proposer_.get()),
              [&session](std::int32_t n) { return session.transformer().keeps(0, n); },
              [this](std::string_view text) { write(text); }) {
        if (options.system) talk_.set_system(*options.system);
    }

    /// Before the first turn: what the prompt cache has.
    void begin_with(std::vector<tokenizer::TokenId> tokens) {
        talk_.generation().begin_with(std::move(tokens));
    }

    /// Reads lines until one wants an answer; false: the chat ends.
    bool next_turn() {
        try {
            for (Talk::Next next = Talk::Next::line; !has_no_reader_;) {
                if (is_watched_ && talk_.has_told()) terminal::let_streams_arrive();
                if (is_watched_) write("> ");
                next = take_line();
                if (next != Talk::Next::line) return next == Talk::Next::answer && !has_no_reader_;
            }
        } catch (const Stopped&) {
        }
        return false;
    }

    void answered(bool is_stopped) {
        talk_.answered();
        ended_by_signal_ = is_stopped;
        since_answer_.restart();
    }

    [[nodiscard]] Talk& talk() noexcept { return talk_; }
    [[nodiscard]] bool has_no_reader() const noexcept { return has_no_reader_; }
    [[nodiscard]] bool is_watched() const noexcept { return is_watched_; }

  private:
    static TalkOptions talk_options(const ChatOptions& options, session::Session& session,
                                    engine::Proposer* proposer) {
        TalkOptions talk;
        talk.proposer = proposer;
        talk.answer.n_predict = options.n_predict;
        for (const std::string& stop : options.stops)
            talk.answer.stops.push_back(terminal::process_escapes(stop));
        talk.answer.sampling = options.sampling;
        talk.answer.n_context = session.transformer().options().n_context;
        talk.max_rows = options.model.n_batch;
        talk.shifts_context = options.shifts_context;
        talk.dims_thinking = terminal::text_is_watched() && has_colours();
        talk.model_files = session::files_read(options.model, {});
        return talk;
    }

    Talk::Next take_line() {
        const auto heartbeat = [this] { comm_.heartbeat(); };
        try {
            const std::optional<std::string> line = input_.next([this] { wait(); });
            if (line) return talk_.take(*line, heartbeat);
            if (is_watched_) write("\n");
            return Talk::Next::end;
        } catch (const UsageError& error) { // a line that is too long
            log::root(log::Level::warning, "{}", error.what());
            return Talk::Next::line;
        }
    }

    void wait() {
        comm_.heartbeat();
        if (!engine::stop_requested()) return;
        const bool is_late = ended_by_signal_ && since_answer_.elapsed_s() < same_request_s;
        engine::clear_stop_request();
        if (!is_late) throw Stopped();
    }

    void write(std::string_view text) {
        if (has_no_reader_ || text.empty()) return;
        try {
            terminal::write_text(text, [this] { comm_.heartbeat(); });
        } catch (const terminal::ReaderLeft&) { // wants no more: the answer and the chat end
            has_no_reader_ = true;
            engine::request_stop();
        }
    }

    comm::Communicator& comm_;
    bool is_watched_;
    bool has_no_reader_ = false;
    bool ended_by_signal_ = false;
    Stopwatch since_answer_;
    TurnInput input_;
    std::unique_ptr<engine::Proposer> proposer_;
    Talk talk_;
};

void print_totals(Talk& talk) {
    const Talk::Totals& totals = talk.totals();
    log::root(log::Level::info, "chat     {} read, {} kept, {} answered ({:.2f} a second)",
              counted(totals.n_read, "token"), totals.n_found, totals.n_generated,
              totals.generation_s > 0
                  ? static_cast<double>(totals.n_generated) / totals.generation_s
                  : 0.0);
}

session::RunDescription description_of(const ChatOptions& options, session::Session& session) {
    session::RunDescription description = session::describe_run(session, options.model, "chat");
    trace::Configuration& config = description.config;
    config.set<"n_sequences">(1);
    config.set<"n_predict">(options.n_predict);
    config.set<"ignore_eos">(false);
    session::add_sampling(config, options.sampling);
    return description;
}

} // namespace

int run_chat(const ChatOptions& given, comm::Environment& environment) {
    ChatOptions options = given;
    session::SessionNeeds needs;
    needs.loop =
        session::loop_with_draft(engine::loop_options_for(options.sampling), options.model);
    needs.max_logit_rows = session::logit_rows_with_draft(options.model, 1);
    prompt_cache::PromptCache cache(options.prompt_cache, options.model);
    needs.keeps_windows = cache.is_wanted();
    needs.check_outputs = [&] {
        terminal::expect_standard_output();
        cache.expect_place({options.trace.path});
        if (!options.trace.path.empty())
            recording::check_output(options.trace.path, options.trace.force,
                                    session::files_read(options.model, {options.prompt_cache}));
    };
    const chat::Template* chat_template = nullptr; // rank 0's
    needs.read_input = [&](const tokenizer::Tokenizer& tokenizer, std::size_t n_context,
                           FunctionRef<void()>) {
        cache.open(n_context);
        chat_template = &chat::choose_template(options.chat_template,
                                               session::open_model_file(options.model).metadata());
        if (options.system) expect_system(*chat_template, tokenizer, *options.system);
    };
    session::Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    options.sampling.seed = comm::broadcast_from_root<std::uint64_t>(
        comm, options.seed ? *options.seed : std::random_device()());

    std::unique_ptr<Root> root;
    comm::agree(comm, [&] {
        if (comm.is_root()) root = std::make_unique<Root>(options, session, *chat_template);
    });
    session.tune_allreduce(environment, options.model, options.model.n_batch);
    if (options.sampling.temperature > 0)
        log::root(log::Level::info, "seed     {}", options.sampling.seed);
    std::optional<session::Tracing> tracing;
    if (!options.trace.path.empty()) {
        session::RunDescription description;
        comm::agree(comm, [&] { description = description_of(options, session); });
        tracing.emplace(session, options.trace, std::move(description));
    }
    engine::LoopOptions loop_options = needs.loop;
    loop_options.log_sums = tracing.has_value();
    engine::Loop loop(session.transformer(), comm, loop_options, session.draft());
    if (tracing) {
        loop.observe(&tracing->recorder());
        if (root) root->talk().generation().observe(&tracing->recorder());
    }
    if (cache.is_wanted()) {
        const std::size_t n =
            std::min(cache.tokens().size(), session.transformer().options().n_context);
        std::vector<tokenizer::TokenId> found = cache.load(comm, session.transformer(), 0, n);
        loop.set_tokens(0, found);
        if (root) root->begin_with(std::move(found));
    }
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    if (root && root->is_watched()) {
        log::root(log::Level::info, "/help tells what can be typed");
        terminal::let_streams_arrive();
    }
    for (;;) {
        // Somebody types meanwhile: the others wait as before the steps, not as within them.
        bool goes_on = false;
        comm::agree(comm, [&] { goes_on = root && root->next_turn(); });
        if (!comm::broadcast_from_root<std::uint8_t>(comm, goes_on ? 1 : 0)) break;
        if (!root) engine::clear_stop_request(); // one that rank 0 has heeded already
        const bool is_stopped = loop.run(root ? &root->talk().generation() : nullptr);
        comm::agree(comm, [&] {
            engine::clear_stop_request();
            if (root) root->answered(is_stopped);
        });
    }
    if (tracing) tracing->finish(ExitCode::done);
    if (root && !root->has_no_reader()) print_totals(root->talk());
    if (cache.is_wanted())
        cache.save(comm, session.transformer(), 0,
                   root ? root->talk().generation().cached()
                        : std::span<const tokenizer::TokenId>());
    return static_cast<int>(ExitCode::done);
}

} // namespace pillar::dialogue
