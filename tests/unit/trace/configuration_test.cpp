// A configuration holds what is on the table, in the table's types, and nothing else.

#include "pillar/trace/configuration.hpp"

#include <gtest/gtest.h>
#include <set>

namespace pillar::trace {
namespace {

template <KeyName name, class Given>
concept CanBeSet = requires(Configuration config, Given value) {
    config.set<name>(value);
};

static_assert(CanBeSet<"n_layers", std::uint32_t> && CanBeSet<"n_layers", bool>);
static_assert(CanBeSet<"temperature", float> && CanBeSet<"model", const char*>);
static_assert(!CanBeSet<"n_layer", int>, "not on the table");
static_assert(!CanBeSet<"n_layers", double> && !CanBeSet<"n_layers", std::string>);
static_assert(!CanBeSet<"temperature", int> && !CanBeSet<"model", int>);

TEST(Configuration, GivesBackWhatWasSet) {
    Configuration config;
    config.set<"model">("tiny");
    config.set<"n_layers">(std::size_t{3});
    config.set<"temperature">(0.5F);
    EXPECT_EQ(config.get<"model">(), "tiny");
    EXPECT_EQ(config.get<"n_layers">(), 3);
    EXPECT_EQ(config.get<"temperature">(), 0.5);
    EXPECT_EQ(config.get<"dim">(), std::nullopt);
    config.set<"n_layers">(4);
    EXPECT_EQ(config.get<"n_layers">(), 4);
}

TEST(Configuration, PrintsEveryType) {
    Configuration config;
    config.set<"model">("tiny");
    config.set<"n_layers">(-3);
    config.set<"temperature">(0.1);
    EXPECT_EQ(config.text<"model">(), "tiny");
    EXPECT_EQ(config.text<"n_layers">(), "-3");
    EXPECT_EQ(config.text<"temperature">(), "0.1");
    EXPECT_EQ(config.text<"dim">(), "");
}

TEST(Configuration, RefusesAValueOfAnotherType) {
    Configuration config;
    EXPECT_TRUE(config.set_at(configuration_index("dim"), std::int64_t{64}));
    EXPECT_FALSE(config.set_at(configuration_index("dim"), std::string("64")));
    EXPECT_FALSE(config.set_at(configuration_index("dim"), 64.0));
    EXPECT_EQ(config.get<"dim">(), 64);
}

TEST(Configuration, HasEveryKeyOnce) {
    std::set<std::string_view> names;
    for (const ConfigurationKey& key : configuration_keys) names.insert(key.name);
    EXPECT_EQ(names.size(), configuration_keys.size());
}

} // namespace
} // namespace pillar::trace
