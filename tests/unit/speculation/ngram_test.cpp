// What the text itself proposes.

#include "pillar/speculation/ngram.hpp"
#include "pillar/speculation/vocabulary.hpp"

#include <gtest/gtest.h>

namespace pillar::speculation {
namespace {

using Tokens = std::vector<sampling::TokenId>;

Tokens found(const Tokens& tokens, std::size_t n) {
    const Continuation follows = continuation(tokens);
    Tokens some;
    for (std::size_t i = 0; i < n && !follows.followed.empty(); ++i)
        some.push_back(follows.token(i));
    return some;
}

TEST(continuation, is_what_followed_the_longest_suffix_where_it_stood_last) {
    EXPECT_EQ(found({1, 2, 3, 4, 5, 1, 2}, 2), (Tokens{3, 4}));
    EXPECT_EQ(found({1, 2, 7, 1, 2, 8, 1, 2}, 1), (Tokens{8}));          // the latest
    EXPECT_EQ(found({9, 1, 2, 7, 5, 1, 2, 8, 9, 1, 2}, 1), (Tokens{7})); // but the longest first
}

TEST(continuation, goes_on_with_itself_where_the_text_ends) {
    EXPECT_EQ(found({1, 2, 3, 4, 5, 1, 2}, 9), (Tokens{3, 4, 5, 1, 2, 3, 4, 5, 1}));
    EXPECT_EQ(found({6, 6, 6, 6}, 3), (Tokens{6, 6, 6}));
}

TEST(continuation, of_an_end_that_has_not_been_there_is_none) {
    EXPECT_TRUE(found({1, 2, 3}, 4).empty());
    EXPECT_TRUE(found({1, 2, 3, 2}, 4).empty()); // one token is too little
    EXPECT_TRUE(found({5}, 4).empty());
}

TEST(continuation, tells_how_long_the_suffix_was) {
    EXPECT_EQ(continuation(Tokens{9, 1, 2, 7, 5, 1, 2, 8, 9, 1, 2}).n_suffix, 3u);
    Tokens twice;
    for (int i = 0; i < 40; ++i) twice.push_back(i % 20);
    EXPECT_EQ(continuation(twice).n_suffix, max_suffix);
}

tokenizer::Vocabulary vocabulary(std::vector<std::string> pieces) {
    tokenizer::Vocabulary v;
    v.model = "llama";
    v.types.assign(pieces.size(), tokenizer::TokenType::normal);
    v.pieces = std::move(pieces);
    return v;
}

TEST(vocabularies, of_a_model_and_its_draft_have_the_same_tokens) {
    const auto one = vocabulary({"a", "b", "c"});
    EXPECT_EQ(difference(one, one), "");
    EXPECT_NE(difference(one, vocabulary({"a", "B", "c"})).find("token 1 is \"b\""),
              std::string::npos);
    EXPECT_NE(difference(one, vocabulary({"a", "b"})), "");
    EXPECT_NE(difference(vocabulary({"a", "b"}), one), "");
    auto other = one;
    other.model = "gpt2";
    EXPECT_NE(difference(one, other), "");
}

TEST(vocabularies, may_end_with_unused_tokens) {
    auto padded = vocabulary({"a", "b", "[PAD2]", "[PAD3]"});
    padded.types[2] = padded.types[3] = tokenizer::TokenType::unused;
    EXPECT_EQ(difference(vocabulary({"a", "b"}), padded), "");
    EXPECT_EQ(difference(padded, vocabulary({"a", "b"})), "");
}

} // namespace
} // namespace pillar::speculation
