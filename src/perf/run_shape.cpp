#include "pillar/perf/run_shape.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace pillar::perf {

namespace {

constexpr std::array<std::pair<const char*, std::uint64_t forward::StepCost::*>, 6> costs{{
    {"rank_layer_bytes", &forward::StepCost::layer_bytes},
    {"rank_heads_bytes", &forward::StepCost::heads_bytes},
    {"rank_output_bytes", &forward::StepCost::output_bytes},
    {"rank_layer_products", &forward::StepCost::layer_products},
    {"rank_output_products", &forward::StepCost::output_products},
    {"rank_kv_bytes", &forward::StepCost::kv_bytes},
}};
constexpr const char* heads = "rank_n_heads";

using TextOf = FunctionRef<std::string(std::string_view name)>;

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// As many as there are; none when one of them is no number.
std::vector<std::uint64_t> parse_numbers(std::string_view text) {
    std::vector<std::uint64_t> values;
    while (true) {
        const std::size_t comma = text.find(',');
        const auto value = parse_number(text.substr(0, comma));
        if (!value) return {};
        values.push_back(*value);
        if (comma == std::string_view::npos) return values;
        text.remove_prefix(comma + 1);
    }
}

bool read_costs(std::vector<RankCost>& ranks, TextOf text_of) {
    for (const auto& [name, field] : costs) {
        const auto values = parse_numbers(text_of(name));
        if (values.size() != ranks.size()) return false;
        for (std::size_t r = 0; r < ranks.size(); ++r) ranks[r].cost.*field = values[r];
    }
    const auto n_heads = parse_numbers(text_of(heads));
    if (n_heads.size() != ranks.size()) return false;
    for (std::size_t r = 0; r < ranks.size(); ++r) ranks[r].n_heads = n_heads[r];
    return true;
}

} // namespace

StepWork step_work(const RunShape& shape, const StepRows& rows) {
    StepWork work = step_work(shape.h, shape.ranks, rows);
    work.allreduce = shape.allreduce;
    work.wire = shape.wire;
    return work;
}

std::vector<RankList> rank_lists(std::span<const RankCost> ranks) {
    std::vector<RankList> lists;
    const auto add = [&](const char* name, auto number_of) {
        RankList list{name, ""};
        for (const RankCost& rank : ranks)
            list.numbers += fmt::format("{}{}", list.numbers.empty() ? "" : ",", number_of(rank));
        lists.push_back(std::move(list));
    };
    for (const auto& [name, field] : costs)
        add(name, [field = field](const RankCost& rank) { return rank.cost.*field; });
    add(heads, [](const RankCost& rank) { return rank.n_heads; });
    return lists;
}

std::optional<RunShape> recorded_shape(std::size_t n_ranks, TextOf text_of) {
    RunShape shape;
    const auto n_layers = parse_number(text_of("n_layers"));
    const auto dim = parse_number(text_of("dim"));
    const auto head_dim = parse_number(text_of("head_dim"));
    const auto shorter = comm::algorithm_named(text_of("allreduce_decode"));
    const auto longer = comm::algorithm_named(text_of("allreduce_prompt"));
    const auto border = parse_number(text_of("allreduce_border_bytes"));
    const auto wire = comm::wire_named(text_of("wire"));
    shape.ranks.resize(n_ranks);
    if (!n_layers || !dim || !head_dim || !shorter || !longer || !border || !wire ||
        !read_costs(shape.ranks, text_of))
        return std::nullopt;
    shape.h.n_layers = *n_layers;
    shape.h.dim = *dim;
    shape.h.head_dim = *head_dim;
    shape.allreduce = {*shorter, *longer, *border / sizeof(float)};
    shape.wire = *wire;
    return shape;
}

} // namespace pillar::perf
