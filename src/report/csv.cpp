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

/// Names of comparison_cells(), of "decode" or "prompt" steps.
std::string comparison_names(const std::string& steps) {
    std::string names;
    for (const char* name :
         {"steps", "step_s", "computing_s", "messages_s", "bytes_per_step", "messages_per_step",
          "predicted_step_s", "predicted_computing_s", "predicted_matrices_s",
          "predicted_attention_s", "predicted_barriers_s", "predicted_messages_s",
          "predicted_latency_s", "predicted_bandwidth_s", "predicted_summing_s",
          "predicted_bytes_per_step", "predicted_messages_per_step"})
        names += fmt::format(",{}_{}", steps, name);
    return names;
}

/// Of a step, in the mean; empty fields where there were none.
std::string comparison_cells(const Comparison& sums) {
    const perf::StepTime& time = sums.predicted;
    std::string cells = fmt::format(",{}", sums.n_steps);
    for (const double sum :
         {sums.step_s, sums.computing_s(), sums.messages_s(),
          static_cast<double>(sums.counted.bytes_sent),
          static_cast<double>(sums.counted.messages_sent), time.total(),
          sums.predicted_computing_s(), time.matrices_s, time.attention_s, time.barriers_s,
          sums.predicted_messages_s(), time.latency_s, time.bandwidth_s, time.summing_s,
          static_cast<double>(sums.predicted_traffic.bytes_sent),
          static_cast<double>(sums.predicted_traffic.messages_sent)})
        cells +=
            sums.n_steps == 0 ? "," : fmt::format(",{}", sum / static_cast<double>(sums.n_steps));
    return cells;
}

std::string line_of(const std::string& model, const ScalingRow& row, bool with_predictions) {
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
                                         number(median_tokens_per_s(totals)),
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
                                         row.base_threads,
                                         row.speed_up ? row.over_threads ? "threads" : "ranks" : "",
                                         number(row.thread_speed_up),
                                         number(decode_tokens_per_s(totals)),
                                         quoted(totals.emulated_network)};
    std::string line = fmt::format("{}", fmt::join(cells, ","));
    if (with_predictions) {
        const Prediction prediction = row.prediction.value_or(Prediction());
        line += comparison_cells(prediction.decode) + comparison_cells(prediction.prompt);
    }
    return line + "\n";
}

} // namespace

std::string to_csv(std::span<const ScalingTable> tables) {
    std::string text =
        "model,variant,ranks,threads,runs,steps,s_per_token,s_per_token_low,s_per_token_high,"
        "confidence,decode_tok_per_s,prompt_tok_per_s,base_ranks,speed_up,efficiency,karp_flatt,"
        "compute_share,wait_share,wire_share,wait_uncertainty_share,outside_share,"
        "mb_per_token_per_rank,slowest_rank,slowest_host,predicted_s_per_token,"
        "base_threads,speed_up_over,thread_speed_up,mean_decode_tok_per_s,emulated_network";
    bool with_predictions = false;
    for (const ScalingTable& table : tables)
        for (const ScalingRow& row : table.rows) with_predictions |= row.prediction.has_value();
    if (with_predictions) text += comparison_names("decode") + comparison_names("prompt");
    text += "\n";
    for (const ScalingTable& table : tables) {
        for (const ScalingRow& row : table.rows)
            text += line_of(table.model, row, with_predictions);
    }
    return text;
}

} // namespace pillar::report
