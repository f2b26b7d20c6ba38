// A plan as people and programs read it.

#include "rows.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/tables/markdown.hpp"

#include <fmt/core.h>

namespace pillar::plan {

namespace {

using tables::number, tables::number_column, tables::text_column, tables::Record;

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

/// Numbers of nodes whose parts are far from equal.
std::string imbalances(const PlanTable& table) {
    constexpr double worth_telling = 1.1;
    std::vector<std::string> nodes;
    for (const PlanRow& row : table.rows)
        if (row.imbalance() > worth_telling)
            nodes.push_back(fmt::format("{} on {}", number(row.imbalance(), 2), row.n_ranks));
    if (nodes.empty()) return {};
    return fmt::format(
        "\nUneven parts (heads, and units of 32 feed-forward columns of a layer or an "
        "expert, are whole): the node with the largest reads this many times the "
        "mean for a token: {} nodes.\n",
        joined(nodes, ", "));
}

std::string slowness(const PlanTable& table) {
    if (table.slow.empty()) return {};
    return fmt::format("\n{}. The times here are those of fast kernels.\n", table.slow);
}

/// What each number of nodes needs and how fast it is.
std::string nodes_table(const PlanTable& table) {
    const auto bytes = [](auto n) { return human_bytes(static_cast<double>(n)); };
    std::vector<std::vector<std::string>> rows;
    for (const PlanRow& row : table.rows)
        rows.push_back(
            {fmt::format("{}", row.n_ranks), bytes(row.need.weights), bytes(row.need.kv_cache),
             bytes(row.need.buffers), bytes(row.available_bytes), row.fits() ? "yes" : "NO",
             number(row.decode_per_s, 2), number(speed_up(table, row), 2),
             number(row.prompt_per_s, 1), bytes(row.token.bytes_sent),
             fmt::format("{}", row.token.messages_sent), number(row.joules_per_token, 1)});
    return tables::markdown(
        {number_column("nodes"), number_column("weights"), number_column("KV cache"),
         number_column("buffers"), number_column("of"), text_column("fits"), number_column("t/s"),
         number_column("speed-up"), number_column("prompt t/s"), number_column("sent a token"),
         number_column("messages"), number_column("joules a token")},
        rows);
}

/// Where the time of a step goes.
std::string times_table(const PlanTable& table) {
    std::vector<std::vector<std::string>> rows;
    for (const PlanRow& row : table.rows)
        for (const bool is_token : {true, false}) {
            const perf::StepTime& time = is_token ? row.decode : row.prompt;
            const double total = time.total();
            const auto share = [&](double part_s) { return tables::percent(part_s / total, 0); };
            rows.push_back({fmt::format("{}", row.n_ranks), is_token ? "token" : "prompt",
                            number(total * 1e3, 1),
                            share(time.matrices_s) + (time.arithmetic_bound ? " (arithmetic)" : ""),
                            share(time.attention_s), share(time.barriers_s), share(time.latency_s),
                            share(time.bandwidth_s), share(time.reduction_s),
                            row.n_ranks == 1
                                ? "-"
                                : std::string(comm::name_of(is_token ? row.decode_allreduce
                                                                     : row.prompt_allreduce))});
        }
    return tables::markdown({number_column("nodes"), text_column("step"), number_column("ms"),
                             number_column("matrices"), number_column("attention"),
                             number_column("barriers"), number_column("message latency"),
                             number_column("message bytes"), number_column("adding"),
                             text_column("all-reduce")},
                            rows);
}

std::string markdown(const PlanTable& table) {
    const PlanRequest& request = table.request;
    return fmt::format("{} on {}, {} of context, {} wire, one rank a node\n\n",
                       printable(table.model), printable(table.profile),
                       counted(request.model.n_context, "token"),
                       comm::name_of(request.model.wire)) +
           nodes_table(table) + definitions(table) + imbalances(table) + slowness(table) +
           fmt::format("\nWhere the time of a step goes: a token at depth {}, and a prompt of {} "
                       "in chunks of {}\n\n",
                       request.depth, request.n_prompt, request.model.n_batch) +
           times_table(table);
}

Record time_record(const perf::StepTime& time) {
    return {{"total_s", time.total()},         {"matrices_s", time.matrices_s},
            {"attention_s", time.attention_s}, {"barriers_s", time.barriers_s},
            {"latency_s", time.latency_s},     {"bandwidth_s", time.bandwidth_s},
            {"summing_s", time.reduction_s},   {"arithmetic_bound", time.arithmetic_bound}};
}

Record record_of(const PlanTable& table, const PlanRow& row) {
    return {{"model", table.model},
            {"profile", table.profile},
            {"ranks", row.n_ranks},
            {"n_context", table.request.model.n_context},
            {"n_batch", table.request.model.n_batch},
            {"n_prompt", table.request.n_prompt},
            {"depth", table.request.depth},
            {"cache_type", kernels::name_of(table.request.model.cache_types)},
            {"wire", comm::name_of(table.request.model.wire)},
            {"weights_bytes", row.need.weights},
            {"kv_cache_bytes", row.need.kv_cache},
            {"buffers_bytes", row.need.buffers},
            {"available_bytes", row.available_bytes},
            {"fits", row.fits()},
            {"read_bytes_per_token", row.read_bytes},
            {"read_imbalance", row.imbalance()},
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
}

} // namespace

std::string render(const PlanTable& table, tables::Format format) {
    if (format == tables::Format::md) return markdown(table);
    std::vector<Record> records;
    for (const PlanRow& row : table.rows) records.push_back(record_of(table, row));
    return tables::write(format, records);
}

} // namespace pillar::plan
