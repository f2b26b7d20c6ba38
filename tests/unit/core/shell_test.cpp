// What a shell makes of a quoted word is the word.

#include "pillar/core/text.hpp"

#include <cstdio>
#include <gtest/gtest.h>

namespace pillar {
namespace {

/// The bytes of the argument that bash sees.
std::string read_by_bash(const std::string& word) {
    const std::string script = "set -- " + word + "\nprintf '%s' \"$#:$1\"";
    const std::string name = testing::TempDir() + "pillar-shell-word.sh";
    std::FILE* file = std::fopen(name.c_str(), "wb");
    std::fwrite(script.data(), 1, script.size(), file);
    std::fclose(file);
    std::FILE* bash = ::popen(("bash " + name).c_str(), "r");
    std::string text;
    for (int c = std::fgetc(bash); c != EOF; c = std::fgetc(bash)) text += static_cast<char>(c);
    ::pclose(bash);
    std::remove(name.c_str());
    return text;
}

TEST(shell_word, is_read_back_by_a_shell) {
    for (const std::string& word :
         {std::string(), std::string("my trace.h5"), std::string("it's"),
          std::string("$HOME `id` \"*\""), std::string("a\\b"), std::string("caf\xC3\xA9"),
          std::string("caf\xE9.h5"), std::string("two\nlines\x1b[1m it's \\n"), std::string("~x"),
          std::string("#x"), std::string("a;b&c|d>e")})
        EXPECT_EQ(read_by_bash(shell_word(word)), "1:" + word) << shell_word(word);
}

TEST(shell_word, stays_plain_where_it_can) {
    for (const char* word : {"trace.h5", "/data/run-1_a.h5", "--ctx-size=4096", "50,8.5", "host:2"})
        EXPECT_EQ(shell_word(word), word);
    EXPECT_EQ(shell_word("my trace"), "'my trace'");
    EXPECT_EQ(shell_word("caf\xE9"), R"($'caf\xE9')");
}

} // namespace
} // namespace pillar
