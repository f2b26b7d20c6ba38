// How a text is cut, and what is scored of it: the numbers that llama-perplexity prints for them.

#include "text_windows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

namespace pillar::evaluate {
namespace {

using ::testing::ElementsAre;

TEST(WindowShape, TheSecondHalfIsScored) {
    const WindowShape shape = window_shape(512, 0);
    EXPECT_EQ(shape.length, 512u);
    EXPECT_EQ(shape.first, 256u);
    EXPECT_EQ(shape.n_scored(), 255u);
    EXPECT_EQ(windows_in(511, shape), 0u);
    EXPECT_EQ(windows_in(512, shape), 1u);
    EXPECT_EQ(windows_in(7639, shape), 14u);
}

TEST(WindowShape, WithAStrideTheLastOfEachAre) {
    const WindowShape shape = window_shape(512, 100);
    EXPECT_EQ(shape.length, 562u);
    EXPECT_EQ(shape.step, 100u);
    EXPECT_EQ(shape.n_scored(), 100u);
    EXPECT_EQ(windows_in(561, shape), 0u);
    EXPECT_EQ(windows_in(562, shape), 1u);
    EXPECT_EQ(windows_in(662, shape), 1u);
    EXPECT_EQ(windows_in(663, shape), 2u);
}

TEST(CutWindows, BosTakesTheFirstPlaceOfEach) {
    TokenIds text(11);
    std::iota(text.begin(), text.end(), 10);
    tokenizer::Vocabulary vocabulary;
    vocabulary.bos = 1;
    const WindowShape shape = window_shape(4, 0);
    EXPECT_THAT(cut_windows(text, shape, 2, vocabulary),
                ElementsAre(10, 11, 12, 13, 14, 15, 16, 17));
    vocabulary.add_bos = true;
    EXPECT_THAT(cut_windows(text, shape, 2, vocabulary), ElementsAre(1, 11, 12, 13, 1, 15, 16, 17));
    EXPECT_THAT(cut_windows(text, window_shape(4, 2), 3, vocabulary),
                ElementsAre(1, 11, 12, 13, 14, 1, 13, 14, 15, 16, 1, 15, 16, 17, 18));
}

} // namespace
} // namespace pillar::evaluate
