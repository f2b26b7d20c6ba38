// What auto measures is a rate for every family and format; how fast it is, is not tested.

#include "pillar/measure/product_rate.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace pillar::measure {
namespace {

TEST(product_rate, is_there_for_every_family_and_format) {
    threads::Team team(2);
    for (const kernels::Family* family : kernels::families()) {
        if (!family->supported()) continue;
        for (const quant::Type type : quant::all_types) {
            ProductRate rate(*family, type, team, std::size_t{1} << 18);
            const double bytes_per_s = rate.measure(team, 0);
            EXPECT_TRUE(std::isfinite(bytes_per_s) && bytes_per_s > 0)
                << family->name << " " << quant::info(type).name;
        }
    }
}

TEST(product_rate, needs_no_more_than_a_group_of_rows) {
    threads::Team team(3);
    const kernels::Family& family = *kernels::families()[kernels::best_family()];
    EXPECT_GT(ProductRate(family, quant::Type::q4_0, team, 1).measure(team, 0), 0);
}

} // namespace
} // namespace pillar::measure
