// Profiles as people write them.

#include "pillar/perf/machine_profile.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::perf {
namespace {

using testing::HasSubstr;
using testing::Not;

const NumberRange* find_range(const MachineProfile& profile, std::string_view field) {
    const auto place = std::ranges::find(profile.ranges, field, &NumberRange::field);
    return place == profile.ranges.end() ? nullptr : &*place;
}

std::string sentence_of(const std::string& text) {
    try {
        (void)parse_profile(text, "mine.json");
    } catch (const FormatError& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
        return error.what();
    }
    return "nothing was wrong";
}

TEST(machine_profile, is_read_with_comments_and_only_what_stands_there_changes) {
    const MachineProfile p = parse_profile(R"(// my boards
        {
            "base": "pi4",
            "name": "Pi 5", /* sixteen
                               of them */
            "threads": 4,
            "memory": { "read_gb_per_s": 12.5 }, // measured
            "network": { "latency_us": 35, "ns_per_byte": 8.4 }
        })",
                                           "mine.json");
    EXPECT_EQ(p.name, "Pi 5");
    EXPECT_DOUBLE_EQ(p.read_bytes_per_s, 12.5e9);
    EXPECT_DOUBLE_EQ(p.network.latency_s, 35e-6);
    EXPECT_DOUBLE_EQ(p.network.s_per_byte, 8.4e-9);
    EXPECT_EQ(p.read_efficiency, MachineProfile().read_efficiency);
    EXPECT_DOUBLE_EQ(p.network.jitter_s, MachineProfile().network.jitter_s);
    EXPECT_EQ(find_range(p, "memory.read_gb_per_s"), nullptr)
        << "measured: the base's range is gone";
    ASSERT_NE(find_range(p, "network.jitter_us"), nullptr);
    EXPECT_DOUBLE_EQ(find_range(p, "network.jitter_us")->high, 150e-6);
}

TEST(machine_profile, has_numbers_with_range_and_source) {
    const MachineProfile p = parse_profile(R"({"base": "pi4", "memory": {"read_gb_per_s":
        {"value": 4, "low": 3, "high": 5, "source": "a guess"}}})",
                                           "mine.json");
    EXPECT_DOUBLE_EQ(p.read_bytes_per_s, 4e9);
    const NumberRange* range = find_range(p, "memory.read_gb_per_s");
    ASSERT_NE(range, nullptr);
    EXPECT_DOUBLE_EQ(range->low, 3e9);
    EXPECT_DOUBLE_EQ(range->high, 5e9);
    EXPECT_EQ(range->source, "a guess");
}

TEST(machine_profile, is_found_by_name) {
    EXPECT_DOUBLE_EQ(read_profile("pi4").read_bytes_per_s, MachineProfile().read_bytes_per_s);
    for (const std::string_view name : profile_names()) {
        const MachineProfile p = read_profile(std::string(name));
        EXPECT_FALSE(p.ranges.empty()) << name;
        for (const NumberRange& range : p.ranges) EXPECT_FALSE(range.source.empty()) << range.field;
    }
    MachineProfile p = read_profile("pi5");
    const double f32_s = p.network.reduction.f32_s;
    read_network("2.5-gigabit", p);
    EXPECT_DOUBLE_EQ(p.network.s_per_byte, 3.4e-9);
    EXPECT_EQ(p.network.reduction.f32_s, f32_s) << "the processor's, not the cable's";
    EXPECT_DOUBLE_EQ(find_range(p, "network.ns_per_byte")->low, 3.3e-9);
    EXPECT_THAT(p.name, HasSubstr("2.5 gigabit"));
    try {
        (void)read_profile("pi6");
        FAIL();
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::no_input);
        EXPECT_THAT(error.what(), HasSubstr("pi4, pi5"));
    }
}

TEST(machine_profile, says_the_same_after_writing_and_reading) {
    MachineProfile p;
    p.name = "a \"quoted\" name\n";
    p.n_threads = 3;
    p.available_bytes = 1.25e9;
    p.read_bytes_per_s = 9.875e9;
    p.read_efficiency = 0.75;
    p.macs_per_s = 1.5e12;
    p.mac_efficiency = 0.5;
    p.float_macs_per_s = 1e11;
    p.float_efficiency = 0.25;
    p.barrier_s = 5e-7;
    p.network = {1e-6, 2e-9, 3e-9, 4e-6, 5e-9, 6e-6, 7e-9, 0.125, {8e-9, 9e-9, 11e-9}};
    p.power = {1, 2, 3};
    p.grid_macs_per_s = 3e9;
    p.price = 42;
    p.ranges = {{"memory.efficiency", 0.5, 1, "a \"source\""},
                {"network.latency_us", 0.5e-6, 2e-6, ""},
                {"threads", 3, 3, "counted"}};
    const std::vector<std::string> header{"measured by check", "on two boards\nthat }{ break"};
    const MachineProfile q = parse_profile(profile_text(p, header), "x");
    EXPECT_EQ(q.name, p.name);
    EXPECT_EQ(q.n_threads, 3);
    const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-9 * b; };
    EXPECT_PRED2(near, q.available_bytes, p.available_bytes);
    EXPECT_PRED2(near, q.read_bytes_per_s, p.read_bytes_per_s);
    EXPECT_EQ(q.read_efficiency, 0.75);
    EXPECT_PRED2(near, q.macs_per_s, 1.5e12);
    EXPECT_EQ(q.mac_efficiency, 0.5);
    EXPECT_PRED2(near, q.float_macs_per_s, 1e11);
    EXPECT_EQ(q.float_efficiency, 0.25);
    EXPECT_PRED2(near, q.barrier_s, 5e-7);
    EXPECT_PRED2(near, q.network.latency_s, 1e-6);
    EXPECT_PRED2(near, q.network.s_per_byte, 2e-9);
    EXPECT_PRED2(near, q.network.s_per_byte_both_ways, 3e-9);
    EXPECT_PRED2(near, q.network.message_overhead_s, 4e-6);
    EXPECT_PRED2(near, q.network.store_and_forward_s_per_byte, 5e-9);
    EXPECT_PRED2(near, q.network.jitter_s, 6e-6);
    EXPECT_PRED2(near, q.network.s_per_byte_long, 7e-9);
    EXPECT_EQ(q.network.hidden_share, 0.125);
    EXPECT_PRED2(near, q.network.reduction.f32_s, 8e-9);
    EXPECT_PRED2(near, q.network.reduction.f16_s, 9e-9);
    EXPECT_PRED2(near, q.network.reduction.q8_s, 11e-9);
    EXPECT_EQ(q.power.idle_w, 1);
    EXPECT_EQ(q.power.decode_w, 2);
    EXPECT_EQ(q.power.peak_w, 3);
    EXPECT_PRED2(near, q.grid_macs_per_s, 3e9);
    EXPECT_EQ(q.price, 42);
    ASSERT_EQ(q.ranges.size(), 3u);
    EXPECT_EQ(find_range(q, "memory.efficiency")->source, "a \"source\"");
    EXPECT_PRED2(near, find_range(q, "network.latency_us")->high, 2e-6);
    EXPECT_EQ(find_range(q, "threads")->low, 3);
}

TEST(machine_profile, names_the_field_that_is_wrong) {
    EXPECT_THAT(sentence_of(R"({"memory": {"read_mb_per_s": 4}})"),
                HasSubstr("memory.read_mb_per_s: is not known"));
    EXPECT_THAT(sentence_of(R"({"speed": 4})"), HasSubstr("speed: is not known"));
    EXPECT_THAT(sentence_of(R"({"memory": 4})"), HasSubstr("memory: is not known"));
    EXPECT_THAT(sentence_of(R"({"memory": {"read_gb_per_s": "4"}})"),
                HasSubstr("memory.read_gb_per_s: is not a number"));
    EXPECT_THAT(sentence_of(R"({"memory": {"read_gb_per_s": 0}})"), HasSubstr("0"));
    EXPECT_THAT(sentence_of(R"({"network": {"latency_us": -1}})"), HasSubstr("network.latency_us"));
    EXPECT_THAT(sentence_of(R"({"memory": {"efficiency": 1.5}})"), HasSubstr("memory.efficiency"));
    EXPECT_THAT(sentence_of(R"({"network": {"hidden_share": 1.5}})"),
                HasSubstr("network.hidden_share"));
    EXPECT_THAT(sentence_of(R"({"network": {"latency_us": null}})"), HasSubstr("is not a number"));
    EXPECT_THAT(sentence_of(R"({"name": 7})"), HasSubstr("name"));
    EXPECT_THAT(sentence_of(R"({"base": "pi9"})"), HasSubstr("base: is none of the profiles"));
    EXPECT_THAT(sentence_of(R"({"base": "pi4", "threads": 2.5})"), HasSubstr("no whole number"));
    EXPECT_THAT(sentence_of(R"({"base": "pi4", "power": {"idle_w": 7}})"),
                HasSubstr("power.idle_w: is 7, more than power.decode_w of 6"));
    EXPECT_THAT(sentence_of(R"({"memory": {"read_gb_per_s": {"low": 1, "high": 2}}})"),
                HasSubstr("memory.read_gb_per_s.value: is missing"));
    EXPECT_THAT(sentence_of(R"({"memory": {"read_gb_per_s": {"value": 4, "low": 1}}})"),
                HasSubstr("memory.read_gb_per_s.high: is missing"));
    EXPECT_THAT(
        sentence_of(R"({"memory": {"read_gb_per_s": {"value": 4, "low": 4.5, "high": 5}}})"),
        HasSubstr("does not lie between its low of 4.5"));
    EXPECT_THAT(sentence_of(R"({"memory": {"read_gb_per_s": {"value": 4, "low": -1, "high": 5}}})"),
                HasSubstr("memory.read_gb_per_s.low: is -1"));
    EXPECT_THAT(sentence_of(R"({"memory": {"read_gb_per_s": {"value": 4, "sigma": 1}}})"),
                HasSubstr("memory.read_gb_per_s.sigma: is not known"));
    EXPECT_THAT(sentence_of(R"({"memory": {"read_gb_per_s": 1e6}})"), HasSubstr("1000000"));
    EXPECT_THAT(sentence_of(R"({"threads": 4})"), HasSubstr("memory.available_gb: is missing"));
    EXPECT_THAT(sentence_of("[]"), HasSubstr("is not an object"));
    EXPECT_THAT(sentence_of(R"({"threads": 4,})"), HasSubstr("mine.json"));
    EXPECT_THAT(sentence_of(""), HasSubstr("mine.json: line 1, column 1: the file ends here"));
    EXPECT_THAT(sentence_of("{\n  \"threads\": 4\n  \"memory\": {}\n}"),
                HasSubstr("mine.json: line 3, column 10: this is not JSON"));
    EXPECT_THAT(sentence_of("{\"name\": \"caf\xE9\"}"), HasSubstr("line 1"));
    EXPECT_THAT(sentence_of(R"({"threads": 1e999})"), HasSubstr("too large"));
    for (const char* text : {"", "{", "{]", "nul", R"({"name": "\u12"})", R"({"threads": 1e999})"})
        EXPECT_THAT(sentence_of(text), Not(HasSubstr("json.exception"))) << text;
}

TEST(machine_profile, that_is_not_there_is_no_input) {
    try {
        (void)read_profile("/nowhere/at/all.json");
        FAIL();
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::no_input);
    }
}

} // namespace
} // namespace pillar::perf
