// What a trace keeps of a run's shape, read back.

#include "pillar/perf/run_shape.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace pillar::perf {
namespace {

using Entries = std::map<std::string, std::string, std::less<>>;

/// Two ranks, a head each; direct up to 40 floats, beyond that two-step.
Entries recorded() {
    return {{"n_layers", "3"},
            {"dim", "40"},
            {"head_dim", "20"},
            {"allreduce_decode", "direct"},
            {"allreduce_prompt", "two-step"},
            {"allreduce_border_bytes", "160"},
            {"wire", "f16"},
            {"rank_layer_bytes", "700,800"},
            {"rank_heads_bytes", "70,80"},
            {"rank_output_bytes", "50,60"},
            {"rank_layer_products", "1000,1100"},
            {"rank_output_products", "90,91"},
            {"rank_kv_bytes", "6,7"},
            {"rank_n_heads", "1,2"}};
}

std::optional<RunShape> shape_of(const Entries& entries, std::size_t n_ranks = 2) {
    return recorded_shape(n_ranks, [&](std::string_view name) {
        const auto found = entries.find(name);
        return found == entries.end() ? std::string() : found->second;
    });
}

TEST(recorded_shape, gives_back_every_number) {
    const auto shape = shape_of(recorded());
    ASSERT_TRUE(shape.has_value());
    EXPECT_EQ(shape->h.n_layers, 3u);
    EXPECT_EQ(shape->h.dim, 40u);
    EXPECT_EQ(shape->h.head_dim, 20u);
    EXPECT_EQ(shape->allreduce.of(40), comm::Algorithm::direct);
    EXPECT_EQ(shape->allreduce.of(41), comm::Algorithm::two_step);
    EXPECT_EQ(shape->wire, comm::Wire::f16);
    ASSERT_EQ(shape->ranks.size(), 2u);
    EXPECT_EQ(shape->ranks[0].cost.layer_bytes, 700u);
    EXPECT_EQ(shape->ranks[1].cost.heads_bytes, 80u);
    EXPECT_EQ(shape->ranks[1].cost.output_bytes, 60u);
    EXPECT_EQ(shape->ranks[0].cost.layer_products, 1000u);
    EXPECT_EQ(shape->ranks[1].cost.output_products, 91u);
    EXPECT_EQ(shape->ranks[0].cost.kv_bytes, 6u);
    EXPECT_EQ(shape->ranks[1].n_heads, 2u);
}

TEST(recorded_shape, is_what_rank_lists_wrote) {
    Entries entries = recorded();
    const auto shape = shape_of(entries);
    std::size_t n_lists = 0;
    for (const RankList& list : rank_lists(shape->ranks)) {
        EXPECT_EQ(list.numbers, entries.at(list.name)) << list.name;
        ++n_lists;
    }
    EXPECT_EQ(n_lists, 7u);
}

TEST(recorded_shape, is_nothing_when_an_entry_is_missing_or_no_number) {
    for (const auto& [name, text] : recorded()) {
        Entries entries = recorded();
        entries.erase(name);
        EXPECT_FALSE(shape_of(entries).has_value()) << name;
        entries[name] = "-1";
        EXPECT_FALSE(shape_of(entries).has_value()) << name;
    }
    for (const char* text : {"", "700", "700,", ",700", "700,800,900", "700 800", "7e2,800",
                             "99999999999999999999,1"}) {
        Entries entries = recorded();
        entries["rank_layer_bytes"] = text;
        EXPECT_FALSE(shape_of(entries).has_value()) << text;
    }
    EXPECT_FALSE(shape_of(recorded(), 3).has_value());
}

TEST(step_work, of_a_recorded_shape_has_its_allreduce_and_wire) {
    const StepWork work = step_work(*shape_of(recorded()), StepRows{1, 1, 9, 9});
    EXPECT_EQ(work.n_allreduces, 6u);
    EXPECT_EQ(work.allreduce_floats, 40u);
    EXPECT_EQ(work.ranks[1].matrix_bytes, 860);
    EXPECT_EQ(work.ranks[0].kv_bytes, 54);
    // Six vectors of 40 halves to the other rank, an order and an answer with 8 bytes before it
    EXPECT_EQ(step_traffic(work).bytes_sent, 6u * 2 * 80 + 8);
    EXPECT_EQ(step_traffic(work).messages_sent, 6u * 2 + 2);
}

} // namespace
} // namespace pillar::perf
