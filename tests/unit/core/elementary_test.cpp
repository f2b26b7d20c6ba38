// The f64 functions against exact values (tests/data/elementary, made with decimal arithmetic).

#include "pillar/core/elementary.hpp"
#include "pillar/core/hash.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace pillar {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::vector<double>> read_table(const std::string& name) {
    std::ifstream file(std::string(PILLAR_TEST_DATA) + "/elementary/" + name);
    std::vector<std::vector<double>> rows;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::vector<double> row;
        for (std::string word; words >> word;) row.push_back(std::strtod(word.c_str(), nullptr));
        rows.push_back(row);
    }
    EXPECT_GT(rows.size(), 50u) << name;
    return rows;
}

/// |value − (high + low)| in units of the last place of `high`.
double error_ulp(double value, double high, double low) {
    if (std::isinf(high)) return value == high ? 0.0 : infinity;
    const double ulp = std::nextafter(std::fabs(high), infinity) - std::fabs(high);
    return std::fabs((value - high) - low) / ulp;
}

TEST(exp_f64, stays_below_1_5_units_in_the_last_place) {
    double worst = 0;
    for (const auto& row : read_table("exp.txt")) {
        const double error = error_ulp(exp_f64(row[0]), row[1], row[2]);
        EXPECT_LT(error, 1.5) << "x = " << row[0];
        worst = std::max(worst, error);
    }
    RecordProperty("worst_ulp", std::to_string(worst));
}

TEST(exp_f64, is_exact_at_zero_and_saturates) {
    EXPECT_EQ(exp_f64(0.0), 1.0);
    EXPECT_EQ(exp_f64(-0.0), 1.0);
    EXPECT_EQ(exp_f64(709.79), infinity);
    EXPECT_EQ(exp_f64(1e300), infinity);
    EXPECT_EQ(exp_f64(infinity), infinity);
    EXPECT_EQ(exp_f64(-745.14), 0.0);
    EXPECT_EQ(exp_f64(-infinity), 0.0);
    EXPECT_TRUE(std::isnan(exp_f64(nan)));
}

TEST(exp_f64, over_an_array_has_the_bits_of_single_calls) {
    std::vector<double> values = {nan, infinity, -infinity, 0.0, 1e-320};
    for (int i = 0; i < 1013; ++i) values.push_back(-760.0 + 1.4571 * i);
    for (std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{7}, values.size()}) {
        std::vector<double> together(values.begin(),
                                     values.begin() + static_cast<std::ptrdiff_t>(n));
        exp_f64(std::span<double>(together));
        for (std::size_t i = 0; i < n; ++i)
            EXPECT_EQ(std::bit_cast<std::uint64_t>(together[i]),
                      std::bit_cast<std::uint64_t>(exp_f64(values[i])))
                << values[i];
    }
}

TEST(log_f64, stays_below_1_5_units_in_the_last_place) {
    for (const auto& row : read_table("log.txt"))
        EXPECT_LT(error_ulp(log_f64(row[0]), row[1], row[2]), 1.5) << "x = " << row[0];
}

TEST(log_f64, meets_its_special_values) {
    EXPECT_EQ(log_f64(1.0), 0.0);
    EXPECT_EQ(log_f64(0.0), -infinity);
    EXPECT_EQ(log_f64(-0.0), -infinity);
    EXPECT_EQ(log_f64(infinity), infinity);
    EXPECT_TRUE(std::isnan(log_f64(-1.0)));
    EXPECT_TRUE(std::isnan(log_f64(-infinity)));
    EXPECT_TRUE(std::isnan(log_f64(nan)));
}

TEST(sin_cos_f64, has_an_absolute_error_below_2_to_the_minus_52) {
    for (const auto& row : read_table("sin_cos.txt")) {
        const auto [s, c] = sin_cos_f64(row[0]);
        EXPECT_LT(std::fabs((s - row[1]) - row[2]), 0x1p-52) << "sin " << row[0];
        EXPECT_LT(std::fabs((c - row[3]) - row[4]), 0x1p-52) << "cos " << row[0];
    }
}

TEST(sin_cos_f64, gives_nan_where_the_reduction_ends) {
    for (const double x : {nan, infinity, -infinity, std::nextafter(0x1p31, infinity), -1e18}) {
        EXPECT_TRUE(std::isnan(sin_cos_f64(x).sin));
        EXPECT_TRUE(std::isnan(sin_cos_f64(x).cos));
    }
    EXPECT_EQ(sin_cos_f64(0.0).sin, 0.0);
    EXPECT_EQ(sin_cos_f64(0.0).cos, 1.0);
}

TEST(pow_f64, has_a_relative_error_below_1e_14) {
    for (const auto& row : read_table("pow.txt")) {
        const double error = std::fabs((pow_f64(row[0], row[1]) - row[2]) - row[3]) / row[2];
        EXPECT_LT(error, 1e-14) << row[0] << " ^ " << row[1];
        EXPECT_LT(error, 4e-16) << row[0] << " ^ " << row[1]; // what the two-part product is for
    }
}

TEST(pow_f64, meets_its_special_values) {
    EXPECT_EQ(pow_f64(7.5, 0.0), 1.0);
    EXPECT_EQ(pow_f64(1.0, -3e5), 1.0);
    EXPECT_EQ(pow_f64(0.0, 2.0), 0.0);
    EXPECT_EQ(pow_f64(0.0, -2.0), infinity);
    EXPECT_EQ(pow_f64(10.0, 400.0), infinity);
    EXPECT_EQ(pow_f64(10.0, -400.0), 0.0);
    EXPECT_TRUE(std::isnan(pow_f64(-2.0, 2.0)));
}

/// Arguments spread over [−1, 1) without a library's random numbers.
double argument(std::uint64_t i) {
    return static_cast<double>((i * 0x9e3779b97f4a7c15ull) >> 11) * 0x1p-52 - 1.0;
}

TEST(elementary, has_the_same_bits_with_every_compiler_and_processor) {
    std::vector<double> results;
    std::vector<float> small_results;
    for (std::uint64_t i = 1; i <= 20000; ++i) {
        const double x = argument(i);
        const auto [s, c] = sin_cos_f64(x * 140000.0);
        const double positive = exp_f64(x * 30.0);
        results.insert(results.end(), {exp_f64(x * 744.0), positive, log_f64(positive), s, c,
                                       pow_f64(positive, argument(i + 7) * 3.0)});
        small_results.push_back(exp_f32(static_cast<float>(x) * 100.0f));
    }
    EXPECT_EQ(hash_of(std::span<const double>(results)), 14279639961049268785ull);
    EXPECT_EQ(hash_of(std::span<const float>(small_results)), 2900259920563677003ull);
}

} // namespace
} // namespace pillar
