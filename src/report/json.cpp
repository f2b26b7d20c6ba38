// The same numbers for programs, with the ranks of every row.

#include "renderers.hpp"

#include "pillar/core/errors.hpp"

#include <nlohmann/json.hpp>

namespace pillar::report {

namespace {

using Json = nlohmann::ordered_json;

Json number(std::optional<double> value) {
    return value ? Json(*value) : Json(nullptr);
}

Json ranks_of(const Totals& totals) {
    Json ranks = Json::array();
    for (std::size_t i = 0; i < totals.ranks.size(); ++i) {
        const RankTotals& rank = totals.ranks[i];
        ranks.push_back({{"rank", i},
                         {"host", rank.host},
                         {"compute_s", rank.compute_s},
                         {"wait_s", rank.wait_s},
                         {"wire_s", rank.wire_s},
                         {"wait_uncertainty_s", rank.wait_uncertainty_s},
                         {"bytes_sent", rank.bytes_sent},
                         {"messages_sent", rank.messages_sent}});
    }
    return ranks;
}

/// Of a step, in the mean.
Json comparison_of(const Comparison& sums) {
    if (sums.n_steps == 0) return nullptr;
    const auto n = static_cast<double>(sums.n_steps);
    const auto mean = [n](auto sum) { return static_cast<double>(sum) / n; };
    const perf::StepTime& time = sums.predicted;
    return {{"steps", sums.n_steps},
            {"measured",
             {{"step_s", mean(sums.step_s)},
              {"computing_s", mean(sums.computing_s())},
              {"messages_s", mean(sums.messages_s())},
              {"bytes_sent", mean(sums.counted.bytes_sent)},
              {"messages_sent", mean(sums.counted.messages_sent)}}},
            {"predicted",
             {{"step_s", mean(time.total())},
              {"computing_s", mean(sums.predicted_computing_s())},
              {"matrices_s", mean(time.matrices_s)},
              {"attention_s", mean(time.attention_s)},
              {"barriers_s", mean(time.barriers_s)},
              {"messages_s", mean(sums.predicted_messages_s())},
              {"latency_s", mean(time.latency_s)},
              {"bandwidth_s", mean(time.bandwidth_s)},
              {"summing_s", mean(time.summing_s)},
              {"bytes_sent", mean(sums.predicted_traffic.bytes_sent)},
              {"messages_sent", mean(sums.predicted_traffic.messages_sent)}}},
            {"ratio",
             {{"step", number(ratio(sums.step_s, time.total()))},
              {"computing", number(ratio(sums.computing_s(), sums.predicted_computing_s()))},
              {"messages", number(ratio(sums.messages_s(), sums.predicted_messages_s()))}}},
            {"counts_agree", sums.counts_agree()}};
}

Json row_of(const ScalingRow& row) {
    const Totals& totals = row.totals;
    const auto time = seconds_per_token(totals);
    const Shares shares = shares_of(totals.ranks);
    Json json{{"ranks", row.n_ranks},
              {"threads", row.threads},
              {"variant", row.variant},
              {"traces", totals.paths},
              {"steps", totals.seconds_per_token.size()},
              {"warm_up_steps", totals.n_warm_up_steps},
              {"decode_tokens", totals.n_decode_tokens},
              {"prompt_tokens", totals.n_prompt_tokens}};
    json["s_per_token"] = time ? Json{{"median", time->median},
                                      {"low", time->low},
                                      {"high", time->high},
                                      {"confidence", time->confidence}}
                               : Json(nullptr);
    json["decode_tok_per_s"] = number(median_tokens_per_s(totals));
    json["mean_decode_tok_per_s"] = number(decode_tokens_per_s(totals));
    json["prompt_tok_per_s"] = number(prompt_tokens_per_s(totals));
    json["base_ranks"] = row.base_ranks;
    json["base_threads"] = row.base_threads;
    json["speed_up_over"] = row.over_threads ? "threads" : "ranks";
    json["speed_up"] = number(row.speed_up);
    json["efficiency"] = number(row.efficiency);
    json["karp_flatt"] = number(row.karp_flatt);
    json["shares"] = {{"compute", shares.compute},
                      {"wait", shares.wait},
                      {"wire", shares.wire},
                      {"wait_uncertainty", shares.wait_uncertainty}};
    json["thread_speed_up"] = number(row.thread_speed_up);
    json["outside_share"] = number(outside_share(totals));
    json["mb_per_token_per_rank"] = number(megabytes_per_token(totals));
    json["slowest_rank"] = slowest_rank(totals.ranks);
    if (row.predicted_s_per_token) json["predicted_s_per_token"] = *row.predicted_s_per_token;
    if (row.prediction)
        json["prediction"] = {{"profile", row.prediction->profile},
                              {"decode", comparison_of(row.prediction->decode)},
                              {"prompt", comparison_of(row.prediction->prompt)}};
    json["per_rank"] = ranks_of(totals);
    json["emulated_network"] = totals.emulated_network;
    json["remarks"] = remarks_of(row);
    return json;
}

} // namespace

std::string to_json(std::span<const ScalingTable> tables) {
    Json all = Json::array();
    for (const ScalingTable& table : tables) {
        Json rows = Json::array();
        for (const ScalingRow& row : table.rows) rows.push_back(row_of(row));
        all.push_back({{"model", table.model}, {"rows", std::move(rows)}});
    }
    return Json{{"tables", std::move(all)}}.dump(2, ' ', false, Json::error_handler_t::replace) +
           "\n";
}

} // namespace pillar::report
