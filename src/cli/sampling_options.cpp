// How the next token is chosen, and what is proposed before it is, as flags.

#include "options.hpp"
#include "pillar/arguments/subcommand.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/engine/proposer.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>

namespace pillar::cli {

namespace {

constexpr std::size_t usual_draft = 7;

/// "ngram", "FILE.gguf", either with ":N" behind it, or "none".
session::DraftOptions parse_draft(const std::string& text, std::string_view typed) {
    session::DraftOptions draft;
    if (text == "none") return draft;
    std::string source = text;
    draft.n_most = usual_draft;
    const std::size_t colon = text.rfind(':');
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (colon != std::string::npos &&
        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(colon), text.end(),
                    [&](char c) { return c == ':' || is_digit(c); })) {
        source = text.substr(0, colon);
        draft.n_most = static_cast<std::size_t>(arguments::whole_number(
            text.substr(colon + 1), typed, 1, std::int64_t{engine::max_draft}));
    }
    if (source == "ngram") return draft;
    if (!source.ends_with(".gguf"))
        throw UsageError(fmt::format("{} {}: give ngram, a model FILE.gguf, either with :N behind "
                                     "it for at most N tokens a step, or none",
                                     typed, printable(text)));
    draft.model = source;
    return draft;
}

std::string draft_text(const session::DraftOptions& draft, std::string_view model) {
    if (draft.n_most == 0) return "none";
    return fmt::format("{}:{}", draft.model.empty() ? "ngram" : model, draft.n_most);
}

} // namespace

void add_draft(Subcommand& sub, session::DraftOptions& draft) {
    Flag& flag = sub.add(
        Ranks::same, "--draft", "HOW",
        "propose tokens and check several in one step; the text stays the same: ngram (what "
        "followed the text's end where it stood before), FILE.gguf (a smaller model of the same "
        "vocabulary), either with :N behind it (at most N a step), or none");
    flag.read_name(
            [&draft, &flag](const std::string& text) { draft = parse_draft(text, flag.typed()); },
            [&draft] { return draft_text(draft, draft.model); })
        .compared_by([&draft] { return draft_text(draft, "a file"); })
        .with_default();
}

void add_sampling_options(Subcommand& sub, sampling::Parameters& p,
                          std::optional<std::uint64_t>& seed) {
    Flag& seed_flag = sub.add(Ranks::same, "-s,--seed", "N",
                              "seed of the random numbers; -1 = choose one (default)");
    seed_flag.looks(Flag::Looks::like_a_number)
        .read([&](const std::string& text) { seed = parse_seed(text, seed_flag.typed()); },
              [&seed] { return seed ? std::to_string(*seed) : "-1"; });
    const auto real = [&](const char* name, const char* type, float& value, const char* help) {
        sub.add(Ranks::same, name, type, help).real(value).with_default();
    };
    real("--temp", "X", p.temperature, "temperature; 0 = greedy: always the best token");
    sub.add(Ranks::same, "--top-k", "K", "keep the k best tokens; 0 = all")
        .whole(p.top_k, INT32_MIN, INT32_MAX)
        .with_default();
    real("--top-p", "P", p.top_p, "keep the best tokens up to this probability; 1 = off");
    real("--min-p", "P", p.min_p,
         "drop tokens below this share of the best one's probability; 0 = off");
    sub.add(Ranks::same, "--repeat-last-n", "N",
            "tokens that penalties look back; 0 = off, -1 = context")
        .whole(p.repeat_last_n, -1, INT32_MAX)
        .with_default();
    real("--repeat-penalty", "X", p.repeat_penalty, "penalty on repeated tokens; 1 = off");
    real("--presence-penalty", "X", p.presence_penalty,
         "subtracted from the logits of tokens that were there; 0 = off");
    real("--frequency-penalty", "X", p.frequency_penalty,
         "subtracted once for each time that a token was there; 0 = off");
}

std::optional<std::uint64_t> parse_seed(const std::string& text, std::string_view flag) {
    if (text == "-1") return std::nullopt;
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stop == end) return value;
    throw UsageError(fmt::format("{} {}: give -1 (one is chosen) or a whole number from 0 to {}",
                                 flag, text.empty() ? "\"\"" : printable(text, 60), UINT64_MAX));
}

} // namespace pillar::cli
