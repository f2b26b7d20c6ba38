// One line a configuration, every number in full; an empty field is a number that was not measured.

#include "text/renderers.hpp"

#include "pillar/tables/writer.hpp"

namespace pillar::report {

namespace {

using tables::Record;

/// Of a step, in the mean, `steps`: "decode" or "prompt"; nothing where there were none.
void add_comparison(Record& record, const std::string& steps, const Comparison& sums) {
    const perf::StepTime& time = sums.predicted;
    record.set(steps + "_steps", sums.n_steps);
    const auto set = [&](const char* name, auto sum) {
        std::optional<double> mean;
        if (sums.n_steps > 0) mean = static_cast<double>(sum) / static_cast<double>(sums.n_steps);
        record.set(steps + "_" + name, mean);
    };
    set("step_s", sums.step_s);
    set("computing_s", sums.computing_s());
    set("messages_s", sums.messages_s());
    set("bytes_per_step", sums.counted.bytes_sent);
    set("messages_per_step", sums.counted.messages_sent);
    set("predicted_step_s", time.total());
    set("predicted_computing_s", sums.predicted_computing_s());
    set("predicted_matrices_s", time.matrices_s);
    set("predicted_attention_s", time.attention_s);
    set("predicted_barriers_s", time.barriers_s);
    set("predicted_messages_s", sums.predicted_messages_s());
    set("predicted_latency_s", time.latency_s);
    set("predicted_bandwidth_s", time.bandwidth_s);
    set("predicted_summing_s", time.reduction_s);
    set("predicted_bytes_per_step", sums.predicted_traffic.bytes_sent);
    set("predicted_messages_per_step", sums.predicted_traffic.messages_sent);
}

Record record_of(const std::string& model, const ScalingRow& row, bool with_predictions,
                 bool with_energy) {
    const Totals& totals = row.totals;
    const auto time = seconds_per_token(totals);
    const Shares shares = shares_of(totals.ranks);
    const std::size_t slowest = slowest_rank(totals.ranks);
    const auto of_time = [&](double perf::MedianInterval::*field) {
        return time ? std::optional((*time).*field) : std::nullopt;
    };
    const auto prompt_time = seconds_per_prompt_token(totals);
    const Shares prompt_shares = shares_of(totals.prompt_ranks);
    const auto of_prompt = [&](double perf::MedianInterval::*field) {
        return prompt_time ? std::optional((*prompt_time).*field) : std::nullopt;
    };
    Record record = {{"model", model},
                     {"variant", row.variant},
                     {"ranks", row.n_ranks},
                     {"threads", row.threads},
                     {"runs", totals.paths.size()},
                     {"steps", totals.seconds_per_token.size()},
                     {"s_per_token", of_time(&perf::MedianInterval::median)},
                     {"s_per_token_low", of_time(&perf::MedianInterval::low)},
                     {"s_per_token_high", of_time(&perf::MedianInterval::high)},
                     {"confidence", of_time(&perf::MedianInterval::confidence)},
                     {"decode_tok_per_s", median_tokens_per_s(totals)},
                     {"prompt_tok_per_s", prompt_tokens_per_s(totals)},
                     {"base_ranks", row.base_ranks},
                     {"speed_up", row.speed_up},
                     {"efficiency", row.efficiency},
                     {"karp_flatt", row.karp_flatt},
                     {"compute_share", shares.compute},
                     {"wait_share", shares.wait},
                     {"wire_share", shares.wire},
                     {"wait_uncertainty_share", shares.wait_uncertainty},
                     {"outside_share", outside_share(totals)},
                     {"mb_per_token_per_rank", megabytes_per_token(totals)},
                     {"slowest_rank", slowest},
                     {"slowest_host", totals.ranks[slowest].host},
                     {"predicted_s_per_token", row.predicted_s_per_token},
                     {"base_threads", row.base_threads},
                     {"speed_up_over", row.speed_up ? row.over_threads ? "threads" : "ranks" : ""},
                     {"thread_speed_up", row.thread_speed_up},
                     {"mean_decode_tok_per_s", decode_tokens_per_s(totals)},
                     {"emulated_network", totals.emulated_network},
                     {"s_per_prompt_token", of_prompt(&perf::MedianInterval::median)},
                     {"s_per_prompt_token_low", of_prompt(&perf::MedianInterval::low)},
                     {"s_per_prompt_token_high", of_prompt(&perf::MedianInterval::high)},
                     {"prompt_compute_share", prompt_shares.compute},
                     {"prompt_wait_share", prompt_shares.wait},
                     {"prompt_wire_share", prompt_shares.wire},
                     {"slowest_in_steps", totals.n_slowest[slowest]},
                     {"n_proposed", totals.n_proposed},
                     {"n_accepted", totals.n_accepted},
                     {"tokens_per_step", tokens_per_step(totals)}};
    if (with_energy) {
        const auto joules = [&](metering::PhaseEnergy metering::NodeEnergy::*phase) {
            const metering::PhaseEnergy energy =
                totals.energy ? totals.energy->all.*phase : metering::PhaseEnergy();
            return energy.n_tokens > 0
                       ? std::optional(energy.joules / static_cast<double>(energy.n_tokens))
                       : std::nullopt;
        };
        record.set("prompt_j_per_token", joules(&metering::NodeEnergy::prompt));
        record.set("decode_j_per_token", joules(&metering::NodeEnergy::decode));
    }
    if (with_predictions) {
        const Prediction prediction = row.prediction.value_or(Prediction());
        add_comparison(record, "decode", prediction.decode);
        add_comparison(record, "prompt", prediction.prompt);
    }
    return record;
}

} // namespace

std::string to_csv(std::span<const ScalingTable> tables) {
    bool with_predictions = false, with_energy = false;
    for (const ScalingTable& table : tables)
        for (const ScalingRow& row : table.rows) {
            with_predictions |= row.prediction.has_value();
            with_energy |= row.totals.energy.has_value();
        }
    std::vector<Record> records;
    for (const ScalingTable& table : tables)
        for (const ScalingRow& row : table.rows)
            records.push_back(record_of(table.model, row, with_predictions, with_energy));
    return tables::write(tables::Format::csv, records);
}

} // namespace pillar::report
