#include "tools/text_options.hpp"

#include "options.hpp"

#include "pillar/arguments/numbers.hpp"
#include "pillar/core/errors.hpp"

#include <fmt/core.h>

namespace pillar::cli {

namespace {

constexpr std::int64_t min_window = 4; ///< a smaller one has nothing to score

} // namespace

void add_text(Subcommand& sub, terminal::PromptOptions& text) {
    text.escape = false;
    sub.add(Ranks::may_differ, "-f,--file", "FILE", "the text, taken as it is; - is standard input")
        .name(text.file);
    sub.add(Ranks::may_differ, "-p,--prompt", "TEXT", "the text itself")
        .looks(Flag::Looks::like_anything)
        .read([&text](const std::string& given) { text.prompt = given; },
              [&text] { return text.prompt.value_or(""); });
    sub.expect([&text] {
        if (text.prompt && !text.file.empty())
            throw UsageError("two texts are given, -p and -f: leave one out");
    });
}

void add_window(Subcommand& sub, session::ModelOptions& options) {
    sub.add(Ranks::same, "-c,--ctx-size", "N", "tokens of a window")
        .whole(options.n_context, min_window, INT32_MAX)
        .with_default();
}

void add_chunks(Subcommand& sub, std::optional<std::size_t>& n_chunks) {
    Flag& flag = sub.add(Ranks::may_differ, "--chunks", "N", "windows to read; -1 = all");
    flag.looks(Flag::Looks::like_a_number)
        .read(
            [&flag, &n_chunks](const std::string& text) {
                const auto n = arguments::whole_number(text, flag.typed(), -1, INT32_MAX);
                if (n == 0)
                    throw UsageError(fmt::format("{} 0: give -1 or at least 1", flag.typed()));
                n_chunks.reset();
                if (n > 0) n_chunks = static_cast<std::size_t>(n);
            },
            [&n_chunks] { return n_chunks ? std::to_string(*n_chunks) : "-1"; })
        .with_default();
}

} // namespace pillar::cli
