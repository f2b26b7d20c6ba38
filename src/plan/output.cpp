// A plan as people and programs read it.

#include "rows.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/utf8.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pillar::plan {

namespace {

using Json = nlohmann::ordered_json;

/// "88 %", of a time's total.
std::string percent(double part, double total) {
    return fmt::format("{:.0f} %", 100 * part / total);
}

double speed_up(const PlanTable& table, const PlanRow& row) {
    return row.decode_per_s / table.base.decode_per_s;
}

std::string definitions(const PlanTable& table) {
    const int n = table.base.n_ranks;
    const std::string base = n == 1 ? "one node" : fmt::format("{} nodes", n);
    return fmt::format(
        "\nSpeed-up: t/s over that of {}{}. Joules a token: energy of all nodes while they "
        "decode one, at the {} W each of the profile.\n",
        base,
        !table.base.fits() ? ", on which it does not fit"
        : n == 1           ? ""
                           : ", the fewest on which the model fits",
        table.decode_w);
}

std::string markdown(const PlanTable& table) {
    const auto bytes = [](double n) { return human_bytes(n); };
    std::string text = fmt::format(
        "{} on {}, {} of context, {} wire, one rank a node\n\n"
        "| nodes | weights | KV cache | buffers | of | fits | t/s | speed-up | prompt t/s | sent a "
        "token | messages | joules a token |\n"
        "|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|\n",
        printable(table.model), printable(table.profile),
        counted(table.request.model.n_context, "token"), comm::name_of(table.request.model.wire));
    for (const PlanRow& row : table.rows)
        text += fmt::format(
            "| {} | {} | {} | {} | {} | {} | {:.2f} | {:.2f} | {:.1f} | {} | {} | {:.1f} |\n",
            row.n_ranks, bytes(static_cast<double>(row.need.weights)),
            bytes(static_cast<double>(row.need.kv_cache)),
            bytes(static_cast<double>(row.need.buffers)), bytes(row.available_bytes),
            row.fits() ? "yes" : "NO", row.decode_per_s, speed_up(table, row), row.prompt_per_s,
            bytes(static_cast<double>(row.token.bytes_sent)), row.token.messages_sent,
            row.joules_per_token);
    text += definitions(table);
    text += fmt::format("\nWhere the time of a step goes: a token at depth {}, and a prompt of {} "
                        "in chunks of {}\n\n"
                        "| nodes | step | ms | matrices | attention | barriers | message latency | "
                        "message bytes | adding | all-reduce |\n"
                        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---|\n",
                        table.request.depth, table.request.n_prompt, table.request.model.n_batch);
    for (const PlanRow& row : table.rows)
        for (const bool is_token : {true, false}) {
            const perf::StepTime& time = is_token ? row.decode : row.prompt;
            const double total = time.total();
            text += fmt::format(
                "| {} | {} | {:.1f} | {} | {} | {} | {} | {} | {} | {} |\n", row.n_ranks,
                is_token ? "token" : "prompt", total * 1e3,
                percent(time.matrices_s, total) + (time.arithmetic_bound ? " (arithmetic)" : ""),
                percent(time.attention_s, total), percent(time.barriers_s, total),
                percent(time.latency_s, total), percent(time.bandwidth_s, total),
                percent(time.summing_s, total),
                row.n_ranks == 1
                    ? "-"
                    : comm::name_of(is_token ? row.decode_allreduce : row.prompt_allreduce));
        }
    return text;
}

Json time_record(const perf::StepTime& time) {
    return {{"total_s", time.total()},         {"matrices_s", time.matrices_s},
            {"attention_s", time.attention_s}, {"barriers_s", time.barriers_s},
            {"latency_s", time.latency_s},     {"bandwidth_s", time.bandwidth_s},
            {"summing_s", time.summing_s},     {"arithmetic_bound", time.arithmetic_bound}};
}

Json record(const PlanTable& table, const PlanRow& row) {
    Json json = {{"model", to_valid_utf8(table.model)},
                 {"profile", to_valid_utf8(table.profile)},
                 {"ranks", row.n_ranks},
                 {"n_context", table.request.model.n_context},
                 {"n_batch", table.request.model.n_batch},
                 {"n_prompt", table.request.n_prompt},
                 {"depth", table.request.depth},
                 {"cache_type", kernels::name_of(table.request.model.cache_type)},
                 {"wire", comm::name_of(table.request.model.wire)},
                 {"weights_bytes", row.need.weights},
                 {"kv_cache_bytes", row.need.kv_cache},
                 {"buffers_bytes", row.need.buffers},
                 {"available_bytes", row.available_bytes},
                 {"fits", row.fits()},
                 {"read_bytes_per_token", row.read_bytes},
                 {"sent_bytes_per_token", row.token.bytes_sent},
                 {"messages_per_token", row.token.messages_sent},
                 {"sent_bytes_per_prompt", row.prompt_sent.bytes_sent},
                 {"messages_per_prompt", row.prompt_sent.messages_sent},
                 {"decode_allreduce", row.n_ranks == 1 ? "" : comm::name_of(row.decode_allreduce)},
                 {"prompt_allreduce", row.n_ranks == 1 ? "" : comm::name_of(row.prompt_allreduce)},
                 {"decode_tokens_per_s", row.decode_per_s},
                 {"speed_up", speed_up(table, row)},
                 {"base_ranks", table.base.n_ranks},
                 {"prompt_tokens_per_s", row.prompt_per_s},
                 {"joules_per_token", row.joules_per_token},
                 {"decode", time_record(row.decode)},
                 {"prompt", time_record(row.prompt)}};
    return json;
}

/// Nested records become columns such as decode_total_s.
std::string csv(const PlanTable& table) {
    std::string text;
    for (const PlanRow& row : table.rows) {
        std::string names, values;
        const auto add = [&](const std::string& name, const Json& value) {
            names += (names.empty() ? "" : ",") + name;
            std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
            if (shown.find_first_of(",\"\n") != std::string::npos) {
                for (std::size_t at = 0; (at = shown.find('"', at)) != std::string::npos; at += 2)
                    shown.insert(at, 1, '"');
                shown = '"' + shown + '"';
            }
            values += (values.empty() ? "" : ",") + shown;
        };
        const Json fields = record(table, row);
        for (const auto& [name, value] : fields.items()) {
            if (!value.is_object())
                add(name, value);
            else
                for (const auto& [inner, number] : value.items()) add(name + "_" + inner, number);
        }
        text += (text.empty() ? names + "\n" : "") + values + "\n";
    }
    return text;
}

} // namespace

std::string render(const PlanTable& table, const std::string& format) {
    if (format == "csv") return csv(table);
    if (format == "md") return markdown(table);
    Json all = Json::array();
    for (const PlanRow& row : table.rows) all.push_back(record(table, row));
    return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace pillar::plan
