#include "evaluation_text.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::evaluate {

namespace {

constexpr std::size_t max_text_bytes = std::size_t{1} << 30;

} // namespace

std::string name_of(const terminal::PromptOptions& text) {
    if (text.prompt) return "the text of -p";
    if (text.file.empty() || text.file == "-") return "standard input";
    return text.file;
}

void expect_text(const terminal::PromptOptions& text) {
    if (!text.prompt && text.file.empty())
        throw UsageError("no text: give one with -f FILE; - is standard input");
}

WindowedText read_windows(const terminal::PromptOptions& text,
                          const tokenizer::Tokenizer& tokenizer, const WindowShape& shape,
                          std::optional<std::size_t> n_chunks, FunctionRef<void()> heartbeat,
                          std::size_t n_skipped, bool parse_special) {
    const std::string bytes =
        terminal::read_prompt(text, heartbeat, max_text_bytes, "give a shorter text");
    TokenIds ids = tokenizer.encode(bytes, {.add_special = true, .parse_special = parse_special});
    WindowedText windowed;
    windowed.n_tokens = ids.size();
    const std::size_t n_all = windows_in(ids.size(), shape);
    if (n_all <= n_skipped)
        throw Error(
            ExitCode::bad_data,
            fmt::format("{} has {}: too few for {} of {} tokens; give a longer text or a smaller "
                        "-c",
                        printable(name_of(text), 4096), counted(ids.size(), "token"),
                        n_skipped == 0
                            ? "one window"
                            : fmt::format("a window after {}", counted(n_skipped, "skipped one")),
                        shape.length));
    windowed.n_windows = std::min(n_all - n_skipped, n_chunks.value_or(n_all));
    ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(n_skipped * shape.step));
    windowed.ids = cut_windows(ids, shape, windowed.n_windows, tokenizer.vocabulary());
    return windowed;
}

} // namespace pillar::evaluate
