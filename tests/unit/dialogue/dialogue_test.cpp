// What a line of a chat is, what was said, and what is shown of thinking; no model.

#include "command.hpp"
#include "dimmed_thinking.hpp"
#include "history.hpp"

#include <gtest/gtest.h>

namespace pillar::dialogue {
namespace {

using chat::Role;

TEST(command, is_a_word_behind_a_slash_at_the_beginning) {
    EXPECT_EQ(parse_command("/undo").word, Word::undo);
    EXPECT_EQ(parse_command("/system  Be short. ").word, Word::system);
    EXPECT_EQ(parse_command("/system  Be short. ").argument, "Be short.");
    EXPECT_EQ(parse_command("/system\nlong\ntext").argument, "long\ntext");
    EXPECT_EQ(parse_command("/undone").word, Word::unknown);
    EXPECT_EQ(parse_command("/undone now").argument, "/undone");
    EXPECT_EQ(parse_command(" /undo").word, Word::said);
    EXPECT_EQ(parse_command(" /undo").argument, " /undo");
    EXPECT_EQ(parse_command("").word, Word::said);
}

TEST(command, help_names_every_command_in_forty_columns) {
    std::string_view rest = help_text();
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        ASSERT_NE(end, std::string_view::npos);
        EXPECT_LE(end + std::string_view("[pillar] ").size(), 40u) << rest.substr(0, end);
        rest.remove_prefix(end + 1);
    }
    for (const char* word :
         {"/regen", "/undo", "/system TEXT", "/save FILE", "/load FILE", "/stats", "/quit"})
        EXPECT_NE(help_text().find(word), std::string_view::npos) << word;
}

History three_turns() {
    History history;
    history.set_system("s");
    for (const char* n : {"1", "2", "3"}) {
        history.say(std::string("q") + n);
        history.answer(std::string("a") + n);
    }
    return history;
}

std::string text_of(const History& history) {
    std::string text;
    for (const chat::Message& message : history.messages())
        text += (text.empty() ? "" : " ") + message.content;
    return text;
}

TEST(history, drops_the_last_turn_or_the_oldest_and_never_the_system_message) {
    History history = three_turns();
    EXPECT_TRUE(history.undo());
    EXPECT_EQ(text_of(history), "s q1 a1 q2 a2");
    EXPECT_TRUE(history.drop_oldest());
    EXPECT_EQ(text_of(history), "s q2 a2");
    EXPECT_FALSE(history.drop_oldest());
    EXPECT_TRUE(history.undo());
    EXPECT_FALSE(history.undo());
    EXPECT_EQ(text_of(history), "s");
    EXPECT_EQ(history.n_turns(), 0u);
}

TEST(history, forgets_an_answer_once) {
    History history = three_turns();
    EXPECT_FALSE(history.awaits_answer());
    EXPECT_TRUE(history.forget_answer());
    EXPECT_TRUE(history.awaits_answer());
    EXPECT_FALSE(history.forget_answer());
    EXPECT_EQ(text_of(history), "s q1 a1 q2 a2 q3");
}

TEST(history, has_one_system_message_or_none) {
    History history = three_turns();
    history.set_system("t");
    EXPECT_EQ(text_of(history).substr(0, 4), "t q1");
    EXPECT_EQ(history.messages().front().role, Role::system);
    history.set_system("");
    EXPECT_EQ(text_of(history).substr(0, 5), "q1 a1");
    history.set_system("u");
    EXPECT_EQ(text_of(history).substr(0, 4), "u q1");
}

TEST(history, of_a_file_may_begin_with_an_answer) {
    History history;
    history.replace({{Role::assistant, "a"}, {Role::user, "q"}});
    EXPECT_TRUE(history.drop_oldest());
    EXPECT_EQ(text_of(history), "q");
}

/// Shown in pieces of every size.
std::string shown(std::string_view text, std::size_t size, bool is_inside, bool is_on = true) {
    DimmedThinking thinking(is_on, is_inside);
    std::string all;
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size())))
        all += thinking.push(text.substr(0, size));
    return all + thinking.finish();
}

TEST(dimmed_thinking, is_the_same_in_pieces_of_any_size) {
    for (std::size_t size = 1; size < 40; ++size) {
        EXPECT_EQ(shown("a <b <think>why</think> so", size, false),
                  "a <b \x1b[2m<think>why</think>\x1b[22m so");
        EXPECT_EQ(shown("why</think> so", size, true), "\x1b[2mwhy</think>\x1b[22m so");
        EXPECT_EQ(shown("<think>on and </on", size, false), "\x1b[2m<think>on and </on\x1b[22m");
        EXPECT_EQ(shown("no thought <thin", size, false), "no thought <thin");
        EXPECT_EQ(shown("<think>a</think><think>b</think>", size, false),
                  "\x1b[2m<think>a</think>\x1b[22m\x1b[2m<think>b</think>\x1b[22m");
    }
}

TEST(dimmed_thinking, leaves_a_text_for_a_pipe_as_it_is) {
    EXPECT_EQ(shown("<think>why</think> so", 3, false, false), "<think>why</think> so");
    EXPECT_EQ(shown("why</think> so", 3, true, false), "why</think> so");
}

TEST(dimmed_thinking, shows_at_once_what_cannot_be_a_mark) {
    DimmedThinking thinking(true, false);
    EXPECT_EQ(thinking.push("1 < 2"), "1 < 2");
    EXPECT_EQ(thinking.push("x<"), "x");
    EXPECT_EQ(thinking.push("t"), "");
    EXPECT_EQ(thinking.push("r>"), "<tr>");
}

} // namespace
} // namespace pillar::dialogue
