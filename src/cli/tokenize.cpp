// tokenize: a text → token ids, as a JSON list or a table of pieces; a conversation → its prompt,
// or that one's ids.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/chat/template.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/inspect/tokens_text.hpp"
#include "pillar/model/hyperparameters.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <fmt/core.h>
#include <memory>

namespace pillar::cli {

namespace {

enum class Reasoning : std::uint8_t { automatic, on, off };

struct TokenizeOptions {
    std::string model;
    terminal::PromptOptions prompt;
    std::string messages; ///< file of a conversation; empty: a text is given
    std::optional<std::string> chat_template;
    Reasoning reasoning = Reasoning::automatic;
    bool no_generation_prompt = false;
    bool ids = false;
    bool no_bos = false;
    bool no_parse_special = false;
    bool show_count = false;
};

constexpr std::size_t max_text_bytes = std::size_t{1} << 30;
constexpr std::size_t max_messages_bytes = 10'000'000;

std::string read_messages(const std::string& file) {
    terminal::PromptOptions options;
    options.file = file;
    return terminal::read_prompt(
        options, [] {}, max_messages_bytes, "leave out what was said first");
}

chat::Prompt render_messages(const TokenizeOptions& options, const gguf::Metadata& metadata,
                             const tokenizer::Tokenizer& tokenizer) {
    const chat::Template& chat_template = chat::choose_template(options.chat_template, metadata);
    chat::Settings settings = chat::settings_of(tokenizer);
    settings.add_generation_prompt = !options.no_generation_prompt;
    if (options.reasoning != Reasoning::automatic)
        settings.thinking = options.reasoning == Reasoning::on;
    const std::string name = options.messages == "-" ? "standard input" : options.messages;
    return chat::render(chat_template, chat::parse_messages(read_messages(options.messages), name),
                        settings);
}

int tokenize(const TokenizeOptions& options) {
    const gguf::File file(options.model);
    model::expect_model(file.metadata());
    const tokenizer::Tokenizer tokenizer(file.metadata());
    std::vector<tokenizer::TokenId> ids;
    if (!options.messages.empty()) {
        const chat::Prompt prompt = render_messages(options, file.metadata(), tokenizer);
        if (!options.ids) {
            if (prints()) print_text(chat::text_of(prompt));
            return 0;
        }
        ids = chat::token_ids(prompt, tokenizer);
    } else {
        ids = tokenizer.encode(
            terminal::read_prompt(
                options.prompt, [] {}, max_text_bytes, "cut it into pieces"),
            {.add_special = !options.no_bos, .parse_special = !options.no_parse_special});
    }
    if (!prints()) return 0;
    std::string text = inspect::tokens_text(tokenizer, ids, !options.ids);
    if (options.show_count) text += fmt::format("Total number of tokens: {}\n", ids.size());
    print_text(text);
    return 0;
}

void add_chat_options(Subcommand& sub, TokenizeOptions& o) {
    sub.add(Ranks::may_differ, "--messages", "FILE",
            "conversation as a JSON list of {\"role\", \"content\"}, instead of a text; - is "
            "standard "
            "input. Prints the prompt that the chat template makes of it")
        .name(o.messages);
    sub.add(Ranks::may_differ, "--chat-template", "NAME",
            "with --messages: the template instead of the model's own: " + chat::template_names())
        .read_name([&o](const std::string& text) { o.chat_template = text; },
                   [&o] { return o.chat_template.value_or(""); });
    sub.add(Ranks::may_differ, "--reasoning", "WORD",
            "with --messages: on or off, for templates that have a switch for thinking; auto: what "
            "they do unasked")
        .choice<Reasoning>(
            o.reasoning,
            {{"auto", Reasoning::automatic}, {"on", Reasoning::on}, {"off", Reasoning::off}})
        .with_default();
    sub.add_switch(Ranks::may_differ, "--no-generation-prompt", o.no_generation_prompt,
                   "with --messages: without what an answer begins with");
    sub.expect([&o] {
        if (o.messages.empty()) {
            if (o.chat_template || o.reasoning != Reasoning::automatic || o.no_generation_prompt)
                throw UsageError(
                    "--chat-template, --reasoning and --no-generation-prompt are about "
                    "a conversation: give one with --messages FILE");
            return;
        }
        if (o.prompt.prompt || !o.prompt.file.empty())
            throw UsageError("a text and a conversation are given: leave out --messages, or -p and "
                             "-f");
        if (o.no_bos || o.no_parse_special)
            throw UsageError("with --messages the chat template says where BOS and control tokens "
                             "stand: leave out --no-bos and --no-parse-special");
        if (o.show_count && !o.ids)
            throw UsageError("with --messages tokens are counted where they are printed: add --ids "
                             "to --show-count");
    });
}

} // namespace

void add_tokenize(Parser& parser) {
    auto options = std::make_shared<TokenizeOptions>();
    Subcommand& sub = parser.add("tokenize", "turn a text into the model's token ids");
    add_model_file(sub, options->model);
    add_prompt_options(sub, options->prompt);
    add_chat_options(sub, *options);
    sub.add_switch(Ranks::may_differ, "--ids", options->ids,
                   "print a JSON list of ids and nothing else");
    sub.add_switch(Ranks::may_differ, "--no-bos", options->no_bos,
                   "do not add what the metadata ask for (BOS, EOS)");
    sub.add_switch(Ranks::may_differ, "--no-parse-special", options->no_parse_special,
                   "control tokens in the text are plain text");
    sub.add_switch(Ranks::may_differ, "--show-count", options->show_count,
                   "print the number of tokens");
    sub.when_called([options](Command& command) {
        command.run_alone = [options] { return tokenize(*options); };
    });
}

} // namespace pillar::cli
