// A plan as people read it.

#include "records.hpp"
#include "tables.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/tables/markdown.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::plan {

namespace {

using tables::number, tables::number_column, tables::text_column;

std::string bytes(double n_bytes) {
    return human_bytes(n_bytes);
}
std::string bytes(std::uint64_t n_bytes) {
    return human_bytes(static_cast<double>(n_bytes));
}

std::string definitions(const PlanTable& table) {
    const int n = table.base.n_ranks;
    const std::string base = n == 1 ? "one node" : fmt::format("{} nodes", n);
    std::string text = fmt::format(
        "\nSpeed-up: t/s over that of {}{}. Joules a token: energy of all nodes while they "
        "decode one, at the {} W each of the profile.\n",
        base,
        !table.base.fits() ? ", on which it does not fit"
        : n == 1           ? ""
                           : ", the fewest on which the model fits",
        joined(table.decode_w, " or "));
    text += table.has_ranges
                ? "Between: where it lies when the profile's numbers lie in their ranges, each by "
                  "itself.\n"
                : "No bounds: the profile's numbers have no ranges beside them.\n";
    return text + "Limit: what takes the most of a token's time.\n";
}

/// Numbers of nodes whose parts are far from equal.
std::string imbalances(const PlanTable& table) {
    constexpr double worth_telling = 1.1;
    std::vector<std::string> nodes;
    for (const PlanRow& row : table.rows)
        if (row.weights.empty() && row.imbalance() > worth_telling)
            nodes.push_back(fmt::format("{} on {}", number(row.imbalance(), 2), row.n_ranks));
    if (nodes.empty()) return {};
    return fmt::format(
        "\nUneven parts (heads, and units of 32 feed-forward columns of a layer or an "
        "expert, are whole): the node with the largest reads this many times the "
        "mean for a token: {} nodes.\n",
        joined(nodes, ", "));
}

std::string splits(const PlanTable& table) {
    std::string text;
    for (const PlanRow& row : table.rows)
        if (!row.weights.empty())
            text += fmt::format("\nSplit on {} nodes: {}.\n", row.n_ranks,
                                session::weights_text(row.weights));
    return text;
}

std::string slowness(const PlanTable& table) {
    if (table.slow.empty()) return {};
    return fmt::format("\n{}. Their products have a rate of their own in the profile.\n",
                       table.slow);
}

std::string best_count(const PlanTable& table) {
    const PlanRow* best = fastest(table.rows);
    if (table.rows.size() < 3 || best == nullptr) return {};
    const PlanRow* near = nearly_fastest(table.rows);
    std::string text =
        fmt::format("\nMost tokens per second: {} on {}", number(best->decode_per_s.value, 2),
                    counted(static_cast<std::size_t>(best->n_ranks), "node"));
    if (near != best)
        text += fmt::format("; {} on {}", number(near->decode_per_s.value, 2),
                            counted(static_cast<std::size_t>(near->n_ranks), "node"));
    return text + ".\n";
}

/// What each number of nodes needs and how fast it is.
std::string nodes_table(const PlanTable& table) {
    std::vector<std::vector<std::string>> rows;
    for (const PlanRow& row : table.rows)
        rows.push_back({fmt::format("{}", row.n_ranks), bytes(row.need.weights),
                        bytes(row.need.kv_cache), bytes(row.need.buffers),
                        bytes(row.available_bytes), row.fits() ? "yes" : "NO",
                        number(row.decode_per_s.value, 2), between(row.decode_per_s, 2),
                        number(row.decode_per_s.value / table.base.decode_per_s.value, 2),
                        std::string(name_of(row.limits.binding())),
                        number(row.prompt_per_s.value, 1), between(row.prompt_per_s, 1),
                        number(row.joules_a_token.value, 1), between(row.joules_a_token, 1)});
    return tables::markdown(
        {number_column("nodes"), number_column("weights"), number_column("KV cache"),
         number_column("buffers"), number_column("of"), text_column("fits"), number_column("t/s"),
         text_column("between"), number_column("speed-up"), text_column("limit"),
         number_column("prompt t/s"), text_column("between"), number_column("joules a token"),
         text_column("between")},
        rows);
}

/// Where the time of a step goes, and what it sends.
std::string times_table(const PlanTable& table) {
    std::vector<std::vector<std::string>> rows;
    for (const PlanRow& row : table.rows)
        for (const bool is_token : {true, false}) {
            const perf::StepTime& time = is_token ? row.decode : row.prompt;
            const Traffic& sent = is_token ? row.token : row.prompt_sent;
            const double total = time.total();
            const auto share = [&](double part_s) { return tables::percent(part_s / total, 0); };
            rows.push_back({fmt::format("{}", row.n_ranks), is_token ? "token" : "prompt",
                            number(total * 1e3, 1),
                            share(time.matrices_s) + (time.arithmetic_bound ? " (arithmetic)" : ""),
                            share(time.attention_s), share(time.barriers_s), share(time.latency_s),
                            share(time.bandwidth_s), share(time.reduction_s),
                            bytes(sent.bytes_sent), fmt::format("{}", sent.messages_sent),
                            row.n_ranks == 1
                                ? "-"
                                : std::string(comm::name_of(is_token ? row.decode_allreduce
                                                                     : row.prompt_allreduce))});
        }
    return tables::markdown(
        {number_column("nodes"), text_column("step"), number_column("ms"),
         number_column("matrices"), number_column("attention"), number_column("barriers"),
         number_column("message latency"), number_column("message bytes"), number_column("adding"),
         number_column("sent"), number_column("messages"), text_column("all-reduce")},
        rows);
}

std::string draft_table(const PlanTable& table) {
    if (table.draft.empty()) return {};
    std::vector<std::vector<std::string>> rows;
    for (const PlanRow& row : table.rows) {
        if (!row.draft) continue;
        const DraftRow& draft = *row.draft;
        rows.push_back({fmt::format("{}", row.n_ranks), fmt::format("{}", draft.length),
                        number(draft.tokens_a_step, 2), number(draft.cost, 2),
                        number(draft.tokens_per_s.value, 2), between(draft.tokens_per_s, 2),
                        number(draft.gain.value, 2), between(draft.gain, 2)});
    }
    return fmt::format(
               "\nWith proposals by {}, each right with a probability of {} where those before it "
               "were: the number that brings the most (0: none pays), what such a step costs in "
               "steps without, and the gain\n\n",
               printable(table.draft), table.request.draft->acceptance) +
           tables::markdown({number_column("nodes"), number_column("proposals"),
                             number_column("tokens a step"), number_column("cost"),
                             number_column("t/s"), text_column("between"), number_column("gain"),
                             text_column("between")},
                            rows);
}

std::string markdown(const PlanTable& table) {
    const PlanRequest& request = table.request;
    const std::string together =
        request.n_parallel == 1
            ? ""
            : fmt::format(", {} together", counted(request.n_parallel, "sequence"));
    return fmt::format("{} on {}, {} of context{}, {} wire, one rank a node\n\n",
                       printable(table.model), printable(table.profile, 400),
                       counted(request.model.n_context, "token"), together,
                       comm::name_of(request.model.wire)) +
           nodes_table(table) + definitions(table) + best_count(table) + imbalances(table) +
           splits(table) + slowness(table) + draft_table(table) +
           fmt::format("\nWhere the time of a step goes: a token at depth {}, and a prompt of {} "
                       "in chunks of {}\n\n",
                       request.depth, request.n_prompt, request.model.n_batch) +
           times_table(table);
}

} // namespace

std::string between(const perf::Interval& interval, int digits) {
    return fmt::format("{}–{}", number(interval.low, digits), number(interval.high, digits));
}

const PlanRow* fastest(const std::vector<PlanRow>& rows) {
    const PlanRow* best = nullptr;
    for (const PlanRow& row : rows)
        if (row.fits() && (best == nullptr || row.decode_per_s.value > best->decode_per_s.value))
            best = &row;
    return best;
}

const PlanRow* nearly_fastest(const std::vector<PlanRow>& rows) {
    constexpr double nearly = 0.9;
    const PlanRow* best = fastest(rows);
    const PlanRow* fewest = best;
    for (const PlanRow& row : rows)
        if (row.fits() && row.n_ranks < fewest->n_ranks &&
            row.decode_per_s.value >= nearly * best->decode_per_s.value)
            fewest = &row;
    return fewest;
}

std::string render(const PlanTable& table, tables::Format format) {
    if (format == tables::Format::md) return markdown(table);
    std::vector<tables::Record> records;
    for (const PlanRow& row : table.rows) records.push_back(record_of(table, row));
    return tables::write(format, records);
}

} // namespace pillar::plan
