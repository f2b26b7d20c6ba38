// --split's forms, what is said of a split, and the format that is measured.

#include "pillar/session/placement.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/synthetic/synthetic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(parse_split, takes_four_forms) {
    EXPECT_EQ(parse_split("even").kind, SplitKind::even);
    EXPECT_EQ(parse_split("auto").kind, SplitKind::automatic);
    const SplitRequest file = parse_split("runs/1,2.h5");
    EXPECT_EQ(file.kind, SplitKind::file);
    EXPECT_EQ(file.path, "runs/1,2.h5");
    const SplitRequest list = parse_split("0.3,0.7");
    EXPECT_EQ(list.kind, SplitKind::list);
    EXPECT_THAT(list.weights, ElementsAre(0.3, 0.7));
    EXPECT_THAT(parse_split("1,2e0,3").weights, ElementsAre(1, 2, 3));
    EXPECT_THAT(parse_split("1").weights, ElementsAre(1));
}

TEST(parse_split, refuses_everything_else_by_name) {
    for (const char* text :
         {"", "Even", "automatic", "0.3,", ",0.7", "0.3;0.7", "0.3, 0.7", "0,1", "-1,2", "nan,1",
          "1,inf", "1,x", "1e999,1", "1e308,1e308", "trace.hdf5"}) {
        try {
            (void)parse_split(text);
            ADD_FAILURE() << text << " was taken";
        } catch (const UsageError& error) {
            EXPECT_THAT(error.what(), HasSubstr(std::string("--split ") + text + ": give even"));
        }
    }
}

TEST(weights_text, gives_back_the_same_numbers) {
    const std::vector<double> weights = {1.0 / 3, 0.1 + 0.2, 1e-17, 12345.678901234567};
    EXPECT_EQ(parse_split(weights_text(weights)).weights, weights);
    EXPECT_EQ(weights_text({}), "even");
    EXPECT_EQ(weights_text(std::vector<double>{0.333, 0.667}), "0.333,0.667");
}

TEST(explain, names_hosts_shares_and_speeds) {
    const std::vector<std::string> hosts = {"pi1", "pi2"};
    const std::vector<double> speeds = {3.1e9, 6.2e9};
    EXPECT_EQ(
        explain({.weights = {0.333, 0.667}, .speeds_are_equal = false, .full = {}}, speeds, hosts),
        "auto: pi1 0.333, pi2 0.667 (speeds 3.1, 6.2 GB/s)");
    EXPECT_EQ(
        explain({.weights = {0.6, 0.4}, .speeds_are_equal = false, .full = {1}}, speeds, hosts),
        "auto: pi1 0.6, pi2 0.4 (speeds 3.1, 6.2 GB/s; pi2 limited by memory)");
    EXPECT_EQ(explain({}, std::vector<double>{6.2e9, 6.3e9}, hosts),
              "auto: even (speeds 6.2, 6.3 GB/s differ by less than 10 %)");
}

TEST(main_type, is_the_format_of_most_bytes_of_matrices) {
    const auto type_of = [](const char* name) {
        const synthetic::SyntheticName parsed = synthetic::parse_synthetic_name(name);
        return main_type(synthetic::synthetic_model(parsed.shape, parsed.mix));
    };
    EXPECT_EQ(type_of("llama-2-7b:q4_0"), quant::Type::q4_0);
    EXPECT_EQ(type_of("llama-2-7b:q4_k_m"), quant::Type::q4_k);
    EXPECT_EQ(type_of("smollm2-135m:q8_0"), quant::Type::q8_0);
}

} // namespace
} // namespace pillar::session
