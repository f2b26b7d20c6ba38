// Models × formats × boards × numbers of ranks, for who has to buy some.

#include "records.hpp"
#include "tables.hpp"

#include "pillar/core/text.hpp"
#include "pillar/tables/markdown.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::plan {

namespace {

using tables::number, tables::number_column, tables::text_column;

std::string markdown(const std::vector<GridRow>& grid, const PlanRequest& request) {
    const bool has_price =
        std::ranges::any_of(grid, [](const GridRow& row) { return row.plan.price > 0; });
    std::vector<tables::Column> columns{
        text_column("model"),        text_column("format"),          number_column("file"),
        text_column("node"),         number_column("nodes"),         text_column("fits"),
        number_column("t/s"),        text_column("between"),         text_column("limit"),
        number_column("prompt t/s"), number_column("joules a token")};
    if (has_price) columns.push_back(number_column("price"));
    std::vector<std::vector<std::string>> rows;
    for (const GridRow& row : grid) {
        const PlanRow& plan = row.plan;
        std::vector<std::string> cells{tables::cell(row.model),
                                       tables::cell(row.format),
                                       human_bytes(row.file_bytes),
                                       tables::cell(row.profile),
                                       fmt::format("{}", plan.n_ranks),
                                       plan.fits() ? "yes" : "NO",
                                       number(plan.decode_per_s.value, 2),
                                       between(plan.decode_per_s, 2),
                                       std::string(name_of(plan.limits.binding())),
                                       number(plan.prompt_per_s.value, 1),
                                       number(plan.joules_a_token.value, 1)};
        if (has_price)
            cells.push_back(plan.price > 0 ? number(plan.price, 0) : std::string(tables::none));
        rows.push_back(std::move(cells));
    }
    return tables::markdown(std::move(columns), rows) +
           fmt::format(
               "\nA token at depth {}, a prompt of {} tokens in chunks of {}. Between: where it "
               "lies when the profile's numbers lie in their ranges. Limit: what takes the most of "
               "a token's time. What does not fit would be so fast with more memory.{}\n",
               request.depth, request.n_prompt, request.model.n_batch,
               has_price ? " Price: of all nodes, as the profiles have it." : "");
}

} // namespace

std::string render(const std::vector<GridRow>& grid, const PlanRequest& request,
                   tables::Format format) {
    if (format == tables::Format::md) return markdown(grid, request);
    std::vector<tables::Record> records;
    for (const GridRow& row : grid) records.push_back(record_of(row, request));
    return tables::write(format, records);
}

} // namespace pillar::plan
