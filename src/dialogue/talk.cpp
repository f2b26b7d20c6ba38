#include "talk.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/text.hpp"
#include "pillar/session/draft.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fmt/core.h>

namespace pillar::dialogue {

namespace {

constexpr std::size_t max_file_bytes = 10'000'000;

/// A template may begin the thinking itself.
bool begins_thinking(std::string_view prompt) {
    const std::size_t end = prompt.find_last_not_of(" \n");
    return end != std::string_view::npos && prompt.substr(0, end + 1).ends_with("<think>");
}

double rate(std::uint64_t n, double seconds) {
    return seconds > 0 ? static_cast<double>(n) / seconds : 0.0;
}

} // namespace

Talk::Talk(const tokenizer::Tokenizer& tokenizer, const chat::Template& chat_template,
           TalkOptions options, engine::CachedGeneration::Keeps keeps, Write write)
    : tokenizer_(tokenizer), template_(chat_template), settings_(chat::settings_of(tokenizer)),
      options_(std::move(options)), write_(std::move(write)),
      generation_(options_.max_rows, std::move(keeps), options_.proposer) {}

void Talk::tell(std::string_view text) {
    has_told_ = true;
    log::root(log::Level::info, "{}", text);
}
void Talk::warn(std::string_view text) {
    has_told_ = true;
    log::root(log::Level::warning, "{}", text);
}

void Talk::set_system(const std::string& text) {
    History changed = history_;
    changed.set_system(text);
    History asked = changed;
    if (!asked.awaits_answer()) asked.say("?");
    (void)chat::render(template_, asked.messages(), settings_);
    history_ = std::move(changed);
}

Talk::Next Talk::take(std::string_view line, FunctionRef<void()> heartbeat) {
    has_told_ = false;
    before_ = history_;
    try {
        return carry_out(parse_command(line), heartbeat);
    } catch (const Error& error) {
        history_ = before_;
        warn(error.what());
        return Next::line;
    }
}

Talk::Next Talk::carry_out(const Command& command, FunctionRef<void()> heartbeat) {
    switch (command.word) {
    case Word::said:
        if (command.argument.find_first_not_of(" \t\r\n") == std::string::npos) return Next::line;
        history_.say(command.argument);
        return begin_answer(0);
    case Word::regen:
        if (history_.forget_answer()) return begin_answer(attempt_ + 1);
        tell("nothing was answered yet");
        return Next::line;
    case Word::undo:
        tell(history_.undo() ? fmt::format("dropped; {} left", counted(history_.n_turns(), "turn"))
                             : "there is no turn to drop");
        return Next::line;
    case Word::system:
        set_system(command.argument);
        tell(command.argument.empty() ? "no system message" : "told; it holds from now on");
        return Next::line;
    case Word::save:
        save(command.argument);
        return Next::line;
    case Word::load:
        load(command.argument, heartbeat);
        return history_.awaits_answer() ? begin_answer(0) : Next::line;
    case Word::stats:
        tell_stats();
        return Next::line;
    case Word::help:
        for (std::string_view rest = help_text(); !rest.empty();) {
            const std::size_t end = rest.find('\n');
            tell(rest.substr(0, end));
            rest.remove_prefix(end + 1);
        }
        return Next::line;
    case Word::quit:
        return Next::end;
    case Word::unknown:
        break;
    }
    warn(fmt::format("{} is no command; /help lists them. A text that begins with / wants a blank "
                     "in front",
                     printable(command.argument)));
    return Next::line;
}

/// The prompt's tokens, without the oldest turns where they have to go. Throws UsageError where
/// it leaves no room for an answer.
std::vector<tokenizer::TokenId> Talk::make_room(std::string& text) {
    const std::size_t n_context = options_.answer.n_context;
    std::size_t room = 1;
    if (options_.shifts_context) {
        room = std::max<std::size_t>(1, n_context / 4);
        if (options_.answer.n_predict > 0)
            room = std::min(room, static_cast<std::size_t>(options_.answer.n_predict));
    }
    std::size_t n_dropped = 0;
    for (;;) {
        const chat::Prompt prompt = chat::render(template_, history_.messages(), settings_);
        std::vector<tokenizer::TokenId> ids = chat::token_ids(prompt, tokenizer_);
        const bool fits = ids.size() + room <= n_context;
        if (!fits && options_.shifts_context && history_.drop_oldest()) {
            ++n_dropped;
            continue;
        }
        if (ids.size() >= n_context)
            throw UsageError(fmt::format(
                "with this there are {} and the context is {}: it is not read; say less, /undo a "
                "turn, or start with a larger -c{}",
                counted(ids.size(), "token"), n_context,
                options_.shifts_context ? "" : " or with --context-shift"));
        if (n_dropped > 0)
            tell(fmt::format("the context is full: the oldest {} dropped",
                             n_dropped == 1 ? "turn is" : fmt::format("{} turns are", n_dropped)));
        text = chat::text_of(prompt);
        return ids;
    }
}

Talk::Next Talk::begin_answer(std::uint64_t attempt) {
    std::string text;
    std::vector<tokenizer::TokenId> ids = make_room(text);
    attempt_ = attempt;
    engine::SequenceOptions answer = options_.answer;
    answer.sampling.seed += attempt;
    thinking_.emplace(options_.dims_thinking, begins_thinking(text));
    ends_line_ = true;
    generation_.begin(tokenizer_, std::move(ids), std::move(text), answer,
                      [this](std::string_view piece) {
                          ends_line_ = piece.ends_with('\n');
                          write_(thinking_->push(piece));
                      });
    return Next::answer;
}

void Talk::answered() {
    const engine::Sequence& sequence = generation_.sequence();
    const engine::SequenceTimings& t = sequence.timings();
    write_(thinking_->finish());
    totals_.n_read += generation_.n_read();
    totals_.n_found += generation_.n_found();
    totals_.n_generated += t.n_generated;
    totals_.prompt_s += t.prompt_s;
    totals_.generation_s += t.generation_s;
    if (sequence.finish_reason() == engine::FinishReason::signal && t.n_generated == 0) {
        history_ = before_;
        warn("stopped before the first word; this turn is dropped");
        return;
    }
    if (!ends_line_ || sequence.completion().empty()) write_("\n");
    history_.answer(sequence.completion());
    tell_room();
}

void Talk::tell_room() {
    const std::size_t n_context = options_.answer.n_context;
    const std::size_t n = generation_.cached().size();
    const std::string_view remedy =
        options_.shifts_context ? ""
                                : "; /undo turns, or start with a larger -c or --context-shift";
    if (generation_.sequence().finish_reason() == engine::FinishReason::context_full) {
        warn(fmt::format("the context of {} is full, and the answer ends here{}", n_context,
                         remedy));
    } else if (4 * n >= 3 * n_context && !options_.shifts_context) {
        if (!has_warned_)
            warn(fmt::format("{} of {} tokens of the context are used{}", n, n_context, remedy));
        has_warned_ = true;
    } else {
        has_warned_ = false;
    }
}

void Talk::save(const std::string& path) {
    if (path.empty()) throw UsageError("/save wants the name of a file behind it");
    const std::string target = output_target(path);
    expect_output(path, own_files_.contains(target), options_.model_files);
    const std::string text = chat::messages_json(history_.messages());
    OutputFile output(path);
    std::FILE* file = std::fopen(output.part().c_str(), "wb");
    if (file == nullptr) throw IoError::from_errno(path, "create", errno);
    const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    const bool is_closed = std::fclose(file) == 0;
    if (!is_written || !is_closed) throw IoError::from_errno(path, "write", errno);
    output.commit();
    own_files_.insert(target);
    tell(fmt::format("saved {}", counted(history_.n_turns(), "turn")));
}

void Talk::load(const std::string& path, FunctionRef<void()> heartbeat) {
    if (path.empty() || path == "-") throw UsageError("/load wants the name of a file behind it");
    terminal::PromptOptions file;
    file.file = path;
    History loaded;
    loaded.replace(chat::parse_messages(
        terminal::read_prompt(file, heartbeat, max_file_bytes, "leave out what was said first"),
        path));
    History asked = loaded; // what the template refuses would be refused with every turn
    if (!asked.awaits_answer()) asked.say("?");
    (void)chat::render(template_, asked.messages(), settings_);
    history_ = std::move(loaded);
    own_files_.insert(output_target(path));
    tell(fmt::format("loaded {}", counted(history_.n_turns(), "turn")));
}

void Talk::tell_stats() {
    tell(fmt::format("turns     {}", history_.n_turns()));
    tell(fmt::format("context   {} of {}", generation_.cached().size(), options_.answer.n_context));
    tell(fmt::format("read      {} ({:.1f} a second)", totals_.n_read,
                     rate(totals_.n_read, totals_.prompt_s)));
    tell(fmt::format("kept      {}", totals_.n_found));
    tell(fmt::format("answered  {} ({:.1f} a second)", totals_.n_generated,
                     rate(totals_.n_generated, totals_.generation_s)));
    if (const engine::DraftCounts& draft = generation_.draft_counts(); draft.n_proposed > 0)
        tell(fmt::format("draft     {}", session::draft_text(draft)));
    tell(fmt::format("seed      {}", options_.answer.sampling.seed));
}

} // namespace pillar::dialogue
