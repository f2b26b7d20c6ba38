// The index of pieces against std::map.

#include "pillar/tokenizer/piece_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace pillar::tokenizer {
namespace {

TEST(PieceIndex, NumbersTextsInTheOrderOfTheirArrival) {
    PieceIndex index;
    EXPECT_EQ(index.add("b"), 0u);
    EXPECT_EQ(index.add("a"), 1u);
    EXPECT_EQ(index.add("b"), 0u);
    EXPECT_EQ(index.size(), 2u);
    EXPECT_EQ(index.find("a"), 1u);
    EXPECT_EQ(index.find("c"), PieceIndex::none);
    EXPECT_EQ(index.find(""), PieceIndex::none);
    EXPECT_EQ(index.text(0), "b");
}

TEST(PieceIndex, AgreesWithAMapForManyTexts) {
    std::mt19937 random(3);
    for (const std::size_t expected : {std::size_t{0}, std::size_t{50'000}}) {
        PieceIndex index(expected);
        std::map<std::string, std::uint32_t> truth;
        for (int i = 0; i < 50'000; ++i) {
            std::string text(random() % 6, '\0');
            for (char& c : text) c = static_cast<char>(random() % 9);
            const auto [place, is_new] =
                truth.try_emplace(text, static_cast<std::uint32_t>(truth.size()));
            ASSERT_EQ(index.find(text), is_new ? PieceIndex::none : place->second);
            ASSERT_EQ(index.add(text), place->second);
        }
        for (const auto& [text, number] : truth) ASSERT_EQ(index.text(number), text);
        EXPECT_EQ(index.size(), truth.size());
        EXPECT_EQ(index.longest(), 5u);
    }
}

} // namespace
} // namespace pillar::tokenizer
