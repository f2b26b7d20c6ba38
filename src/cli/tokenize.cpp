// tokenize: a text → token ids, as a JSON list or a table of pieces.

#include "arguments/parser.hpp"
#include "options.hpp"
#include "subcommands.hpp"

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/inspect/tokens_text.hpp"
#include "pillar/model/hyperparameters.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <fmt/core.h>
#include <memory>

namespace pillar::cli {

namespace {

struct TokenizeOptions {
    std::string model;
    terminal::PromptOptions prompt;
    bool ids = false;
    bool no_bos = false;
    bool no_parse_special = false;
    bool show_count = false;
};

constexpr std::size_t max_text_bytes = std::size_t{1} << 30;

int tokenize(const TokenizeOptions& options) {
    const gguf::File file(options.model);
    model::expect_model(file.metadata());
    const tokenizer::Tokenizer tokenizer(file.metadata());
    const auto ids = tokenizer.encode(
        terminal::read_prompt(
            options.prompt, [] {}, max_text_bytes, "cut it into pieces"),
        {.add_special = !options.no_bos, .parse_special = !options.no_parse_special});
    if (!prints()) return 0;
    std::string text = inspect::tokens_text(tokenizer, ids, !options.ids);
    if (options.show_count) text += fmt::format("Total number of tokens: {}\n", ids.size());
    print_text(text);
    return 0;
}

} // namespace

void add_tokenize(Parser& parser) {
    auto options = std::make_shared<TokenizeOptions>();
    Subcommand& sub = parser.add("tokenize", "turn a text into the model's token ids");
    add_model_file(sub, options->model);
    add_prompt_options(sub, options->prompt);
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
