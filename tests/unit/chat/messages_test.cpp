// The JSON of a conversation: what is read, and that anything else is refused by name.

#include "pillar/chat/message.hpp"
#include "pillar/core/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pillar::chat {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view json) {
    try {
        (void)parse_messages(json, "talk.json");
    } catch (const FormatError& error) {
        EXPECT_EQ(error.file, "talk.json");
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        return error.what();
    }
    return "read";
}

TEST(Messages, AreReadInTheirOrder) {
    const Conversation talk = parse_messages(
        R"([{"role": "system", "content": "a"}, {"content": "b\n\u00e9", "role": "user"},
            {"role": "assistant", "content": ""}])",
        "talk.json");
    ASSERT_EQ(talk.size(), 3u);
    EXPECT_EQ(talk[0].role, Role::system);
    EXPECT_EQ(talk[1].role, Role::user);
    EXPECT_EQ(talk[1].content, "b\n\xC3\xA9");
    EXPECT_EQ(talk[2].role, Role::assistant);
    EXPECT_EQ(talk[2].content, "");
    EXPECT_TRUE(parse_messages("[]", "talk.json").empty());
}

TEST(Messages, TextsOfAListAreLinesOfOneContent) {
    const auto content = [](const std::string& json) {
        return parse_messages(R"([{"role": "user", "content": )" + json + "}]", "t").at(0).content;
    };
    EXPECT_EQ(content(R"([{"type": "text", "text": "a"}, {"text": "b", "type": "text"}])"), "a\nb");
    EXPECT_EQ(content(R"([{"type": "text", "text": "a"}])"), "a");
    EXPECT_EQ(content("[]"), "");
}

TEST(Messages, WhatIsNotUnderstoodIsNamed) {
    EXPECT_THAT(refusal("{}"), HasSubstr("it is no list of messages"));
    EXPECT_THAT(refusal(R"(["hi"])"), HasSubstr("messages[0]"));
    EXPECT_THAT(refusal(R"([{"role": "tool", "content": ""}])"), HasSubstr("\"tool\""));
    EXPECT_THAT(refusal(R"([{"role": 1, "content": ""}])"), HasSubstr("its role is no text"));
    EXPECT_THAT(refusal(R"([{"content": ""}])"), HasSubstr("it has no role"));
    EXPECT_THAT(refusal(R"([{"role": "user"}])"), HasSubstr("it has no content"));
    EXPECT_THAT(refusal(R"([{"role": "user", "content": null}])"),
                HasSubstr("messages[0].content: it is null"));
    EXPECT_THAT(refusal(R"([{"role": "user", "content": "", "tool_calls": []}])"),
                HasSubstr("\"tool_calls\" is not understood"));
    EXPECT_THAT(refusal(R"([{"role": "user", "content": ["a"]}])"), HasSubstr(".content[0]"));
    EXPECT_THAT(refusal(R"([{"role": "user", "content": [{"type": "image_url", "text": ""}]}])"),
                HasSubstr("\"image_url\" is not understood"));
    EXPECT_THAT(refusal(R"([{"role": "user", "content": [{"type": "text"}]}])"),
                HasSubstr("it has no text"));
    EXPECT_THAT(
        refusal(R"([{"role": "user", "content": [{"type": "text", "text": "", "cache": 1}]}])"),
        HasSubstr("\"cache\" is not understood"));
    EXPECT_THAT(refusal(R"([{"role": "user", "role": "system", "content": ""}])"),
                HasSubstr("\"role\" stands there twice"));
}

TEST(Messages, NoJsonIsToldWithItsPlace) {
    for (const char* text :
         {"", "[", "[{]", "nul", "[] x", "[\"\xFF\"]", R"(["\ud800"])", "[1e999]"})
        EXPECT_THAT(refusal(text), HasSubstr("it is no JSON")) << text;
}

TEST(Messages, DeepNestingIsRefusedWhileItIsRead) {
    EXPECT_THAT(refusal(std::string(5'000'000, '[')), HasSubstr("nested more than"));
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += R"([{"role":)";
    EXPECT_THAT(refusal(objects), HasSubstr("nested more than"));
}

TEST(messages, are_read_as_they_were_written) {
    const Conversation messages{
        {Role::system, "a \"b\"\n\tc"}, {Role::user, "\xc3\xa4 \x01 \\"}, {Role::assistant, ""}};
    const Conversation again = parse_messages(messages_json(messages), "file");
    ASSERT_EQ(again.size(), messages.size());
    for (std::size_t i = 0; i < again.size(); ++i) {
        EXPECT_EQ(again[i].role, messages[i].role);
        EXPECT_EQ(again[i].content, messages[i].content);
    }
    EXPECT_TRUE(parse_messages(messages_json({}), "file").empty());
    EXPECT_EQ(parse_messages(messages_json({{Role::user, "\xff"}}), "file").front().content,
              "\xef\xbf\xbd");
}

} // namespace
} // namespace pillar::chat
