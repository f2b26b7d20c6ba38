// docs/trace_format.md against the tables that traces are written by: names, types, units and
// meanings, in the same order.

#include "pillar/trace/configuration.hpp"
#include "pillar/trace/fields.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace pillar::trace {
namespace {

using ::testing::ElementsAreArray;

/// Lines of the tables under a heading, without their heads.
std::vector<std::string> rows_under(const std::string& heading) {
    std::ifstream page(PILLAR_TRACE_PAGE);
    std::vector<std::string> rows;
    bool is_inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("## ")) is_inside = line == "## " + heading;
        if (is_inside && line.starts_with("| ")) rows.push_back(line);
    }
    if (!rows.empty()) rows.erase(rows.begin()); // the columns' names
    return rows;
}

std::string row(std::string_view name, std::string_view type, std::string_view unit,
                std::string_view meaning) {
    const std::string unit_cell = unit.empty() ? "" : fmt::format(" {}", unit);
    return fmt::format("| {} | {} |{} | {} |", name, type, unit_cell, meaning);
}

template <class Row>
std::string type_of(const Field<Row>& field) {
    return std::visit(
        []<class T>(T Row::*) -> std::string {
            using Type = typename Stored<T>::Type;
            return std::is_same_v<Type, double>          ? "float64"
                   : std::is_same_v<Type, std::uint64_t> ? "uint64"
                   : std::is_same_v<Type, std::uint32_t> ? "uint32"
                                                         : "uint8";
        },
        field.member);
}

/// "0 below, 1 above: what is told"
template <class Row>
std::string meaning_of(const Field<Row>& field) {
    std::string text;
    const auto words = field.description().meanings;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", i, words[i]);
    return text + (text.empty() || field.meaning.empty() ? "" : ": ") + std::string(field.meaning);
}

template <class Row>
std::vector<std::string> rows_of(std::span<const Field<Row>> fields) {
    std::vector<std::string> rows;
    for (const Field<Row>& field : fields)
        rows.push_back(row(field.name, type_of(field), field.unit, meaning_of(field)));
    return rows;
}

TEST(Page, ListsEveryKeyOfTheConfiguration) {
    std::vector<std::string> rows;
    for (const ConfigurationKey& key : configuration_keys)
        rows.push_back(row(fmt::format("{}{}", key.name, key.separates_rows ? " *" : ""),
                           name_of(key.type), key.unit, key.meaning));
    EXPECT_THAT(rows_under("/config"), ElementsAreArray(rows));
}

TEST(Page, ListsEveryColumnOfTheSteps) {
    std::vector<std::string> rows = rows_of(step_fields());
    rows[0].insert(rows[0].size() - 2, "; dimension");
    EXPECT_THAT(rows_under("/steps (S)"), ElementsAreArray(rows));
}

TEST(Page, ListsEveryColumnOfTheRanks) {
    std::vector<std::string> rows = rows_under("/ranks (S, P)");
    ASSERT_GT(rows.size(), 2);
    rows.erase(rows.begin(), rows.begin() + 2); // both dimensions
    EXPECT_THAT(rows, ElementsAreArray(rows_of(rank_fields())));
}

TEST(Page, ListsEveryColumnOfTheShares) {
    const std::vector<std::string> rows = rows_under("/hosts (P)");
    const std::vector<std::string> shares = rows_of(share_fields());
    EXPECT_NE(std::ranges::search(rows, shares).begin(), rows.end());
}

TEST(Page, ListsEveryColumnOfTheLayersAndTheTelemetry) {
    std::vector<std::string> layers = rows_under("/layers"), telemetry = rows_under("/telemetry");
    ASSERT_FALSE(layers.empty());
    ASSERT_FALSE(telemetry.empty());
    layers.erase(layers.begin()); // the dimension
    telemetry.erase(telemetry.begin());
    EXPECT_THAT(layers, ElementsAreArray(rows_of(layer_fields())));
    EXPECT_THAT(telemetry, ElementsAreArray(rows_of(telemetry_fields())));
}

} // namespace
} // namespace pillar::trace
