// How the next token is chosen, as flags.

#include "options.hpp"
#include "pillar/arguments/subcommand.hpp"

#include "pillar/core/errors.hpp"

#include <charconv>
#include <fmt/core.h>

namespace pillar::cli {

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
