// One line a configuration, every number in full; an empty field is a number that was not measured.

#include "renderers.hpp"

#include "pillar/core/errors.hpp"

#include <fmt/format.h>

namespace pillar::report {

namespace {

/// Quoted as RFC 4180 says where it must be.
std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
    std::string result = "\"";
    for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
    return result + "\"";
}

std::string number(std::optional<double> value) {
    return value ? fmt::format("{}", *value) : "";
}

std::string line_of(const std::string& model, const ScalingRow& row) {
    const Totals& totals = row.totals;
    const auto time = seconds_per_token(totals);
    const Shares shares = shares_of(totals.ranks);
    const std::size_t slowest = slowest_rank(totals.ranks);
    const auto of_time = [&](double perf::MedianInterval::*field) {
        return time ? number((*time).*field) : "";
    };
    const std::vector<std::string> cells{quoted(model),
                                         quoted(row.variant),
                                         fmt::format("{}", row.n_ranks),
                                         row.threads,
                                         fmt::format("{}", totals.paths.size()),
                                         fmt::format("{}", totals.seconds_per_token.size()),
                                         of_time(&perf::MedianInterval::median),
                                         of_time(&perf::MedianInterval::low),
                                         of_time(&perf::MedianInterval::high),
                                         of_time(&perf::MedianInterval::confidence),
                                         number(decode_tokens_per_s(totals)),
                                         number(prompt_tokens_per_s(totals)),
                                         fmt::format("{}", row.base_ranks),
                                         number(row.speed_up),
                                         number(row.efficiency),
                                         number(row.karp_flatt),
                                         number(shares.compute),
                                         number(shares.wait),
                                         number(shares.wire),
                                         number(shares.wait_uncertainty),
                                         number(outside_share(totals)),
                                         number(megabytes_per_token(totals)),
                                         fmt::format("{}", slowest),
                                         quoted(totals.ranks[slowest].host),
                                         number(row.predicted_s_per_token),
                                         quoted(totals.emulated_network)};
    return fmt::format("{}\n", fmt::join(cells, ","));
}

} // namespace

std::string to_csv(std::span<const ScalingTable> tables) {
    std::string text =
        "model,variant,ranks,threads,runs,steps,s_per_token,s_per_token_low,s_per_token_high,"
        "confidence,decode_tok_per_s,prompt_tok_per_s,base_ranks,speed_up,efficiency,karp_flatt,"
        "compute_share,wait_share,wire_share,wait_uncertainty_share,outside_share,"
        "mb_per_token_per_rank,slowest_rank,slowest_host,predicted_s_per_token,"
        "emulated_network\n";
    for (const ScalingTable& table : tables) {
        for (const ScalingRow& row : table.rows) text += line_of(table.model, row);
    }
    return text;
}

} // namespace pillar::report
