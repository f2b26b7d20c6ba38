// Nothing of a stop text is shown, and nothing else is lost, wherever tokens cut the text.

#include "pillar/engine/stop_texts.hpp"

#include <gtest/gtest.h>

namespace pillar::engine {
namespace {

struct Shown {
    std::string text;
    bool stopped = false;
};

/// The text in pieces of `size` bytes.
Shown show(const std::vector<std::string>& stops, std::string_view text, std::size_t size) {
    StopTexts scanner(stops);
    Shown shown;
    for (std::size_t at = 0; at < text.size() && !scanner.has_stopped(); at += size)
        shown.text += scanner.push(text.substr(at, size));
    shown.stopped = scanner.has_stopped();
    if (!shown.stopped) shown.text += scanner.rest();
    return shown;
}

TEST(stop_texts, end_the_text_wherever_it_is_cut) {
    const std::string text = "aab aaab\nUser: aac";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        EXPECT_EQ(show({"aaab"}, text, size).text, "aab ");
        EXPECT_EQ(show({"\nUser:"}, text, size).text, "aab aaab");
        EXPECT_EQ(show({"aac", "zzz"}, text, size).text, "aab aaab\nUser: ");
        EXPECT_EQ(show({"ser", "User"}, text, size).text, "aab aaab\n");
        EXPECT_EQ(show({text}, text, size).text, "");
        EXPECT_TRUE(show({text}, text, size).stopped);
        for (const std::vector<std::string>& stops :
             {std::vector<std::string>{}, {"aad"}, {"aac."}, {"b\nuser"}, {text + "x"}}) {
            const Shown all = show(stops, text, size);
            EXPECT_EQ(all.text, text);
            EXPECT_FALSE(all.stopped);
        }
    }
}

TEST(stop_texts, hold_back_no_more_than_they_must) {
    StopTexts scanner({"\n\nQ:"});
    EXPECT_EQ(scanner.push("yes"), "yes");
    EXPECT_EQ(scanner.push(".\n"), ".");
    EXPECT_EQ(scanner.push("\n"), "");
    EXPECT_EQ(scanner.push("\n"), "\n"); // the last two may begin it
    EXPECT_EQ(scanner.push("Q"), "");
    EXPECT_EQ(scanner.push("."), "\n\nQ.");
    EXPECT_EQ(scanner.push("\n\nQ"), "");
    EXPECT_EQ(scanner.rest(), "\n\nQ");
}

TEST(stop_texts, show_nothing_after_the_first) {
    StopTexts scanner({"."});
    EXPECT_EQ(scanner.push("one. two."), "one");
    EXPECT_TRUE(scanner.has_stopped());
    EXPECT_EQ(scanner.push("three"), "");
}

} // namespace
} // namespace pillar::engine
