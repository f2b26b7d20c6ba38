// The sentences of errors, and text from outside on a terminal.

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <gtest/gtest.h>

namespace pillar {
namespace {

TEST(format_error, names_file_field_offset_and_problem) {
    const FormatError error("model.gguf", "general.alignment", 24, "must be a power of two, is 7");
    EXPECT_STREQ(error.what(),
                 "model.gguf: general.alignment at byte 24: must be a power of two, is 7");
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_EQ(error.field, "general.alignment");
    EXPECT_EQ(error.offset, 24u);
    EXPECT_STREQ(FormatError("m.gguf", "", std::nullopt, "is empty").what(), "m.gguf: is empty");
}

TEST(format_error, shows_what_the_file_brought_without_its_control_characters) {
    const FormatError error("m\n.gguf", "\x1b[31mred", std::nullopt, "is unknown");
    EXPECT_STREQ(error.what(), "m\\x0A.gguf: \\x1B[31mred: is unknown");
    EXPECT_EQ(error.file, "m\n.gguf");
}

TEST(io_error, from_errno_gives_the_reason_and_the_exit_code) {
    const IoError absent = IoError::from_errno("no/such.gguf", "open", ENOENT);
    EXPECT_STREQ(absent.what(), "no/such.gguf: cannot open: No such file or directory");
    EXPECT_EQ(absent.code(), ExitCode::no_input);
    EXPECT_EQ(IoError::from_errno("dir", "read", EISDIR).code(), ExitCode::no_input);
    EXPECT_EQ(IoError::from_errno("x", "read", EIO).code(), ExitCode::io);
    EXPECT_EQ(IoError::from_errno("x", "write", ENOSPC).code(), ExitCode::io);
}

TEST(printable, keeps_plain_and_utf8_text) {
    EXPECT_EQ(printable("plain"), "plain");
    EXPECT_EQ(printable("naïve 語 🙂"), "naïve 語 🙂");
    EXPECT_EQ(printable(""), "");
}

TEST(printable, shows_control_characters_and_escapes_as_bytes) {
    EXPECT_EQ(printable("a\tb\r\nc"), "a\\x09b\\x0D\\x0Ac");
    EXPECT_EQ(printable("\x1b[2J"), "\\x1B[2J");
    EXPECT_EQ(printable(std::string_view("\0\x7f", 2)), "\\x00\\x7F");
    EXPECT_EQ(printable("\xC2\x9B"
                        "31m"),
              "\\xC2\\x9B31m");                              // CSI as one C1 character
    EXPECT_EQ(printable("\u202Eabc"), "\\xE2\\x80\\xAEabc"); // right-to-left override
}

TEST(printable, shows_what_is_not_utf8_as_bytes) {
    EXPECT_EQ(printable("\xFF\x80"), "\\xFF\\x80");
    EXPECT_EQ(printable("\xC0\xAF"), "\\xC0\\xAF");          // overlong /
    EXPECT_EQ(printable("\xE0\x80\xAF"), "\\xE0\\x80\\xAF"); // the same in three bytes
    EXPECT_EQ(printable("\xED\xA0\x80"), "\\xED\\xA0\\x80"); // surrogate
    EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");
    EXPECT_EQ(printable("\xE8\xAA"), "\\xE8\\xAA"); // cut short
}

TEST(printable, cuts_between_characters_and_says_so) {
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdef", 5), "abcde...");
    EXPECT_EQ(printable("ab語", 4), "ab...");
    EXPECT_EQ(printable("ab\ncd", 5), "ab...");
    EXPECT_EQ(printable("x", 0), "...");
}

TEST(contract, broken_ends_the_process_with_internal_and_names_the_place) {
    expects(true, "never seen");
    EXPECT_EXIT(expects(false, "n must be even"), testing::ExitedWithCode(70),
                "\\[pillar\\] internal error: n must be even \\(.*errors_test.cpp:[0-9]+, ");
    const std::string very_long(5000, 'x');
    EXPECT_EXIT(expects(false, very_long), testing::ExitedWithCode(70), "internal error: xxx");
}

} // namespace
} // namespace pillar
