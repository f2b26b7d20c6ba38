// The same numbers for programs, with the ranks of every row.

#include "text/json_parts.hpp"
#include "text/renderers.hpp"

#include "pillar/tables/writer.hpp"

namespace pillar::report {

namespace {

using tables::List, tables::Record, tables::Value;

List ranks_of(const Totals& totals) {
    List ranks;
    for (std::size_t i = 0; i < totals.ranks.size(); ++i) {
        const RankTotals& rank = totals.ranks[i];
        ranks.push_back(Record{{"rank", i},
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
Value comparison_of(const Comparison& sums) {
    if (sums.n_steps == 0) return {};
    const auto n = static_cast<double>(sums.n_steps);
    const auto mean = [n](auto sum) { return static_cast<double>(sum) / n; };
    const perf::StepTime& time = sums.predicted;
    return Record{
        {"steps", sums.n_steps},
        {"measured", Record{{"step_s", mean(sums.step_s)},
                            {"computing_s", mean(sums.computing_s())},
                            {"messages_s", mean(sums.messages_s())},
                            {"bytes_sent", mean(sums.counted.bytes_sent)},
                            {"messages_sent", mean(sums.counted.messages_sent)}}},
        {"predicted", Record{{"step_s", mean(time.total())},
                             {"computing_s", mean(sums.predicted_computing_s())},
                             {"matrices_s", mean(time.matrices_s)},
                             {"attention_s", mean(time.attention_s)},
                             {"barriers_s", mean(time.barriers_s)},
                             {"messages_s", mean(sums.predicted_messages_s())},
                             {"latency_s", mean(time.latency_s)},
                             {"bandwidth_s", mean(time.bandwidth_s)},
                             {"summing_s", mean(time.reduction_s)},
                             {"bytes_sent", mean(sums.predicted_traffic.bytes_sent)},
                             {"messages_sent", mean(sums.predicted_traffic.messages_sent)}}},
        {"ratio", Record{{"step", (ratio(sums.step_s, time.total()))},
                         {"computing", (ratio(sums.computing_s(), sums.predicted_computing_s()))},
                         {"messages", (ratio(sums.messages_s(), sums.predicted_messages_s()))}}},
        {"counts_agree", sums.counts_agree()}};
}

Record row_of(const ScalingRow& row) {
    const Totals& totals = row.totals;
    const auto time = seconds_per_token(totals);
    const Shares shares = shares_of(totals.ranks);
    Record record{{"ranks", row.n_ranks},
                  {"threads", row.threads},
                  {"variant", row.variant},
                  {"traces", totals.paths},
                  {"steps", totals.seconds_per_token.size()},
                  {"warm_up_steps", totals.n_warm_up_steps},
                  {"decode_tokens", totals.n_decode_tokens},
                  {"prompt_tokens", totals.n_prompt_tokens}};
    record.set("s_per_token", time ? Value(Record{{"median", time->median},
                                                  {"low", time->low},
                                                  {"high", time->high},
                                                  {"confidence", time->confidence}})
                                   : Value());
    record.set("decode_tok_per_s", (median_tokens_per_s(totals)));
    record.set("mean_decode_tok_per_s", (decode_tokens_per_s(totals)));
    record.set("prompt_tok_per_s", (prompt_tokens_per_s(totals)));
    const auto prompt_time = seconds_per_prompt_token(totals);
    record.set("s_per_prompt_token", prompt_time
                                         ? Value(Record{{"median", prompt_time->median},
                                                        {"low", prompt_time->low},
                                                        {"high", prompt_time->high},
                                                        {"confidence", prompt_time->confidence}})
                                         : Value());
    record.set("base_ranks", row.base_ranks);
    record.set("base_threads", row.base_threads);
    record.set("speed_up_over", row.over_threads ? "threads" : "ranks");
    record.set("speed_up", (row.speed_up));
    record.set("efficiency", (row.efficiency));
    record.set("karp_flatt", (row.karp_flatt));
    record.set("shares", Record{{"compute", shares.compute},
                                {"wait", shares.wait},
                                {"wire", shares.wire},
                                {"wait_uncertainty", shares.wait_uncertainty}});
    record.set("thread_speed_up", (row.thread_speed_up));
    record.set("outside_share", (outside_share(totals)));
    record.set("mb_per_token_per_rank", (megabytes_per_token(totals)));
    record.set("slowest_rank", slowest_rank(totals.ranks));
    record.set("steps_slowest", totals.n_slowest);
    record.set("cached_positions", totals.cached_positions);
    if (row.predicted_s_per_token) record.set("predicted_s_per_token", *row.predicted_s_per_token);
    if (row.prediction)
        record.set("prediction", Record{{"profile", row.prediction->profile},
                                        {"decode", comparison_of(row.prediction->decode)},
                                        {"prompt", comparison_of(row.prediction->prompt)}});
    record.set("per_rank", ranks_of(totals));
    record.set("waiting", waiting_record(totals));
    record.set("messages", messages_record(row));
    record.set("clocks", clocks_list(totals));
    record.set("energy", energy_record(totals));
    record.set("emulated_network", totals.emulated_network);
    record.set("n_proposed", totals.n_proposed);
    record.set("n_accepted", totals.n_accepted);
    record.set("tokens_per_step", (tokens_per_step(totals)));
    record.set("remarks", remarks_of(row));
    return record;
}

} // namespace

std::string to_json(std::span<const ScalingTable> tables) {
    List all;
    for (const ScalingTable& table : tables) {
        List rows;
        for (const ScalingRow& row : table.rows) rows.push_back(row_of(row));
        all.push_back(Record{
            {"model", table.model}, {"rows", std::move(rows)}, {"studies", studies_list(table)}});
    }
    return tables::json_text({{"tables", std::move(all)}});
}

} // namespace pillar::report
