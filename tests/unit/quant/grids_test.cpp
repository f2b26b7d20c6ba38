// The grids' points against those of the gguf Python package, which tests/data/grids has.

#include "pillar/quant/formats.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <span>
#include <string>
#include <vector>

namespace pillar::quant {
namespace {

std::vector<std::uint16_t> recorded(const std::string& name) {
    std::ifstream file(PILLAR_TEST_DATA "/grids/" + name + ".txt");
    std::vector<std::uint16_t> points;
    for (unsigned point = 0; file >> std::hex >> point;)
        points.push_back(static_cast<std::uint16_t>(point));
    return points;
}

void expect_recorded(std::span<const std::uint16_t> points, const std::string& name) {
    EXPECT_EQ(std::vector<std::uint16_t>(points.begin(), points.end()), recorded(name)) << name;
}

TEST(Grids, have_the_published_points) {
    expect_recorded(iq1_points, "iq1");
    expect_recorded(iq2_xxs_points, "iq2_xxs");
    expect_recorded(iq2_xs_points, "iq2_xs");
    expect_recorded(iq2_s_points, "iq2_s");
    expect_recorded(iq3_xxs_points, "iq3_xxs");
    expect_recorded(iq3_s_points, "iq3_s");
}

TEST(Grids, are_those_of_the_formats_that_are_said_to_have_them) {
    for (const Type type : all_types) {
        const std::string_view name = info(type).name;
        const bool has_grid = name.starts_with("iq") && !name.starts_with("iq4");
        EXPECT_EQ(is_grid(type), has_grid) << name;
    }
}

} // namespace
} // namespace pillar::quant
