// Measured beside predicted, for people: means of a step.

#include "text/renderers.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/tables/markdown.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::report {

namespace {

using tables::cell, tables::number, tables::number_column, tables::seconds, tables::text_column;

struct RowSteps {
    const ScalingRow* row;
    const char* steps;
    const Comparison* sums;
};

/// Every row's decode steps, then its prompt's, where there were any.
std::vector<RowSteps> parts_of(const ScalingTable& table) {
    std::vector<RowSteps> parts;
    for (const ScalingRow& row : table.rows) {
        if (!row.prediction) continue;
        for (const RowSteps& part : {RowSteps{&row, "decode", &row.prediction->decode},
                                     RowSteps{&row, "prompt", &row.prediction->prompt}})
            if (part.sums->n_steps > 0) parts.push_back(part);
    }
    return parts;
}

std::string milliseconds(double sum_s, std::size_t n) {
    return seconds(1e3 * sum_s / static_cast<double>(n));
}

std::vector<std::string> cells_of(const RowSteps& part, bool has_variant) {
    const Comparison& sums = *part.sums;
    const auto n = static_cast<double>(sums.n_steps);
    std::vector<std::string> cells{fmt::format("{} × {}", part.row->n_ranks, part.row->threads)};
    if (has_variant) cells.push_back(cell(part.row->variant));
    cells.emplace_back(part.steps);
    cells.push_back(fmt::format("{}", sums.n_steps));
    const auto add = [&](double measured_s, double predicted_s) {
        cells.push_back(milliseconds(measured_s, sums.n_steps));
        cells.push_back(milliseconds(predicted_s, sums.n_steps));
        cells.push_back(number(ratio(measured_s, predicted_s), 2));
    };
    add(sums.step_s, sums.predicted.total());
    add(sums.computing_s(), sums.predicted_computing_s());
    add(sums.messages_s(), sums.predicted_messages_s());
    for (const Traffic& sent : {sums.counted, sums.predicted_traffic}) {
        cells.push_back(number(static_cast<double>(sent.bytes_sent) / 1e3 / n, 3));
        cells.push_back(number(static_cast<double>(sent.messages_sent) / n, 1));
    }
    return cells;
}

/// Do the counters of the run say what the model says?
std::string counts_sentence(const std::vector<RowSteps>& parts) {
    std::string differing;
    for (const RowSteps& part : parts) {
        const Comparison& sums = *part.sums;
        if (sums.counts_agree()) continue;
        differing += fmt::format(
            "- {} × {}, {}: {} bytes in {} messages were counted, {} in {} predicted; ranks' "
            "replies are not all as long as the longest where one has fewer rows of the "
            "vocabulary\n",
            part.row->n_ranks, part.row->threads, part.steps, sums.counted.bytes_sent,
            sums.counted.messages_sent, sums.predicted_traffic.bytes_sent,
            sums.predicted_traffic.messages_sent);
    }
    return differing.empty()
               ? "Bytes and messages that the ranks counted are exactly those predicted.\n"
               : differing;
}

} // namespace

std::optional<double> ratio(double measured, double predicted) {
    if (!(predicted > 0)) return std::nullopt;
    return measured / predicted;
}

std::string prediction_markdown(const ScalingTable& table) {
    const std::vector<RowSteps> parts = parts_of(table);
    if (parts.empty()) return "";
    const bool has_variant =
        std::ranges::any_of(parts, [](const RowSteps& part) { return !part.row->variant.empty(); });
    std::string text = fmt::format("\nBeside the cost model with the profile \"{}\", a step:\n\n",
                                   printable(parts.front().row->prediction->profile));
    std::vector<tables::Column> columns{text_column("ranks × threads")};
    if (has_variant) columns.push_back(text_column("options"));
    columns.push_back(text_column("steps"));
    for (const char* title :
         {"n", "ms", "predicted", "ratio", "computing ms", "predicted", "ratio", "messages ms",
          "predicted", "ratio", "sent KB", "messages sent", "predicted KB", "predicted messages"})
        columns.push_back(number_column(title));
    std::vector<std::vector<std::string>> rows;
    for (const RowSteps& part : parts) rows.push_back(cells_of(part, has_variant));
    text += tables::markdown(std::move(columns), rows);
    text +=
        "\nMeans over the steps; ratio: measured / predicted. Computing is that of the rank that "
        "computes longest, messages are the rest of the step, waiting included. Sampling and "
        "printing between steps are in neither.\n" +
        counts_sentence(parts);
    return text;
}

} // namespace pillar::report
