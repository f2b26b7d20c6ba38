// The list of families and how one is found in it.

#include "pillar/kernels/family.hpp"

#include <gtest/gtest.h>
#include <set>

namespace pillar::kernels {
namespace {

TEST(Families, begin_with_the_two_plain_ones) {
    ASSERT_GE(families().size(), 2u);
    EXPECT_EQ(families()[0]->name, "reference");
    EXPECT_EQ(families()[1]->name, "integer");
    EXPECT_TRUE(families()[0]->float_activations);
    EXPECT_FALSE(families()[1]->float_activations);
    EXPECT_TRUE(families()[0]->supported());
    EXPECT_TRUE(families()[1]->supported());
}

TEST(Families, are_found_by_their_distinct_names) {
    std::set<std::string_view> names;
    for (const Family* family : families()) {
        EXPECT_EQ(find_family(family->name), family);
        names.insert(family->name);
    }
    EXPECT_EQ(names.size(), families().size());
    EXPECT_EQ(find_family("fastest"), nullptr);
    EXPECT_EQ(find_family(""), nullptr);
}

TEST(Families, leave_no_operator_out) {
    for (const Family* f : families()) {
        EXPECT_TRUE(f->rows_per_group && f->group_bytes && f->pack_group && f->multiply) << f->name;
        EXPECT_TRUE(f->quantize && f->rms_norm && f->sum_of_squares && f->rope && f->swiglu &&
                    f->geglu && f->soft_cap && f->swiglu_clamped && f->add && f->add_scaled)
            << f->name;
        EXPECT_TRUE(f->attend_page && f->combine && f->finish_attention) << f->name;
        EXPECT_TRUE(f->store_key && f->store_value) << f->name;
    }
}

TEST(BestFamily, is_the_last_that_this_cpu_supports_and_never_the_reference) {
    const std::size_t best = best_family();
    ASSERT_LT(best, families().size());
    EXPECT_GE(best, 1u);
    EXPECT_TRUE(families()[best]->supported());
    EXPECT_FALSE(families()[best]->float_activations);
    for (std::size_t i = best + 1; i < families().size(); ++i)
        EXPECT_FALSE(families()[i]->supported()) << families()[i]->name;
}

} // namespace
} // namespace pillar::kernels
