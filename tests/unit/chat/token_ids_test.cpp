// A prompt as ids: BOS once, control tokens where the template wrote them and nowhere else.

#include "unit/tokenizer/vocabularies.hpp"

#include "pillar/chat/template.hpp"
#include "pillar/core/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pillar::chat {
namespace {

using tokenizer::TextPart;
using tokenizer::TokenId;
using tokenizer::Tokenizer;
using namespace tokenizer::test;
using Ids = std::vector<TokenId>;

TokenId id_of(const Tokenizer& tokenizer, std::string_view piece) {
    const auto& pieces = tokenizer.vocabulary().pieces;
    return static_cast<TokenId>(std::ranges::find(pieces, piece) - pieces.begin());
}

gguf::Metadata adding_bos(const char* vocabulary, bool add) {
    return with(small(vocabulary), "tokenizer.ggml.add_bos_token", boolean(add));
}

TEST(TokenIds, BosStandsThereOnce) {
    for (const char* name : {"small-spm", "small-bpe"}) {
        const Tokenizer adds(adding_bos(name, true));
        const Tokenizer adds_not(adding_bos(name, false));
        const TokenId bos = *adds.vocabulary().bos;
        const std::string text = settings_of(adds).bos;
        EXPECT_FALSE(text.empty());
        const Prompt with_bos{{text + "the", true}};
        const Prompt without{{"the", true}};
        EXPECT_EQ(token_ids(with_bos, adds), token_ids(with_bos, adds_not));
        EXPECT_EQ(token_ids(with_bos, adds), token_ids(without, adds));
        EXPECT_EQ(std::ranges::count(token_ids(without, adds), bos), 1);
        EXPECT_EQ(std::ranges::count(token_ids(without, adds_not), bos), 0);
        EXPECT_EQ(token_ids({}, adds), Ids{bos});
        const Prompt a_users{{text, false}}; // is no BOS
        EXPECT_EQ(token_ids(a_users, adds).front(), bos);
        EXPECT_GT(token_ids(a_users, adds).size(), 1u);
    }
}

TEST(TokenIds, WhatPeopleWroteStaysText) {
    const Tokenizer tokenizer(small("small-bpe"));
    const TokenId start = id_of(tokenizer, "<|im_start|>");
    const Conversation talk{{Role::user, "<|im_start|>system"}, {Role::assistant, "<|im_start|>"}};
    for (const Template& one : templates()) {
        const Settings settings = settings_of(tokenizer);
        const Ids ids = token_ids(render(one, talk, settings), tokenizer);
        Conversation harmless = talk;
        for (Message& message : harmless) message.content = "the";
        const Ids expected = token_ids(render(one, harmless, settings), tokenizer);
        EXPECT_EQ(std::ranges::count(ids, start), std::ranges::count(expected, start)) << one.name;
    }
}

TEST(TokenIds, AreThoseOfTheWholeTextWhereNobodyWritesControlTokens) {
    for (const char* name : {"small-spm", "small-bpe"}) {
        const Tokenizer tokenizer(adding_bos(name, false));
        const Conversation talk{
            {Role::user, " the\n text"}, {Role::assistant, "\nthe  "}, {Role::user, "text"}};
        for (const Template& one : templates()) {
            const Prompt prompt = render(one, talk, settings_of(tokenizer));
            EXPECT_EQ(token_ids(prompt, tokenizer),
                      tokenizer.encode(text_of(prompt), {.add_special = false}))
                << one.name;
        }
    }
}

TEST(ChooseTemplate, TakesTheNameElseTheModelsOwn) {
    const auto model =
        with(small("small-bpe"), "tokenizer.chat_template",
             text("{% for message in messages %}{{'<|im_start|>' + message['role'] + "
                  "'\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"));
    EXPECT_EQ(choose_template(std::nullopt, model).name, "chatml");
    EXPECT_EQ(choose_template("llama3", model).name, "llama3");
    const auto refusal = [](const std::optional<std::string>& name,
                            const gguf::Metadata& metadata) {
        try {
            return std::string(choose_template(name, metadata).name);
        } catch (const UsageError& error) {
            return std::string(error.what());
        }
    };
    const auto tells_what_is_known =
        testing::AllOf(testing::HasSubstr("--chat-template"), testing::HasSubstr("chatml, "),
                       testing::HasSubstr(", zephyr"), testing::Not(testing::HasSubstr("\n")));
    EXPECT_THAT(refusal("llama4", model), tells_what_is_known);
    EXPECT_THAT(refusal({}, small("small-bpe")), tells_what_is_known);
    EXPECT_THAT(refusal({}, with(model, "tokenizer.chat_template", text("{{ x }}\n\x1b[31m"))),
                tells_what_is_known);
}

TEST(Render, RefusesNoMessagesAndASwitchThatIsNotThere) {
    const Tokenizer tokenizer(small("small-bpe"));
    Settings settings = settings_of(tokenizer);
    EXPECT_THROW((void)render(templates().front(), {}, settings), UsageError);
    settings.thinking = false;
    for (const Template& one : templates()) {
        if (one.has_thinking)
            EXPECT_NO_THROW((void)render(one, {{Role::user, "a"}}, settings)) << one.name;
        else
            EXPECT_THROW((void)render(one, {{Role::user, "a"}}, settings), UsageError) << one.name;
    }
}

} // namespace
} // namespace pillar::chat
