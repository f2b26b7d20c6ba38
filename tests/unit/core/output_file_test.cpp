// What may be written, and what is left when writing ends or fails.

#include "pillar/core/output_file.hpp"

#include "support/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pillar {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

void write(const fs::path& path, const std::string& text) {
    std::ofstream(path) << text;
}

std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

class Output : public ::testing::Test {
  protected:
    [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }

    /// The sentence and the code with which the path is refused; done: it is not.
    std::pair<ExitCode, std::string> refusal(const std::string& path, bool replace,
                                             const std::vector<std::string>& inputs = {}) {
        try {
            expect_output(path, replace, inputs, {".part", ".journal"});
            return {ExitCode::done, ""};
        } catch (const Error& error) {
            return {error.code(), error.what()};
        }
    }

    support::TemporaryDirectory folder_;
};

TEST_F(Output, NewFilesAndForcedOnesMayBeWritten) {
    EXPECT_EQ(refusal(file("new"), false).first, ExitCode::done);
    write(file("old"), "old");
    const auto [code, sentence] = refusal(file("old"), false);
    EXPECT_EQ(code, ExitCode::cannot_create);
    EXPECT_THAT(sentence, AllOf(HasSubstr(file("old")), HasSubstr("--force")));
    EXPECT_EQ(refusal(file("old"), true).first, ExitCode::done);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(Output, WhatIsNoRegularFileIsRefusedByName) {
    ASSERT_EQ(::mkfifo(file("fifo").c_str(), 0600), 0);
    fs::create_directory(file("directory"));
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    file("socket").copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    fs::create_symlink("fifo", file("link"));
    for (const auto& [path, kind] :
         std::map<std::string, std::string>{{file("fifo"), "a pipe"},
                                            {file("directory"), "a folder"},
                                            {file("socket"), "a socket"},
                                            {file("link"), "a pipe"},
                                            {"/dev/zero", "a device"},
                                            {"/dev/full", "a device"}})
        for (const bool replace : {false, true}) {
            const auto [code, sentence] = refusal(path, replace);
            EXPECT_EQ(code, ExitCode::cannot_create) << path;
            EXPECT_THAT(sentence, AllOf(HasSubstr(path), HasSubstr(kind)));
            EXPECT_THROW(OutputFile{path}, IoError);
        }
    ::close(socket);
}

TEST_F(Output, PlacesWhereNoFileCanBeAreFoundOutBefore) {
    write(file("plain"), "");
    fs::create_symlink("circle", file("circle"));
    for (const std::string& path : {file("nowhere/x"), file("plain/x"), file("circle"), file("x/"),
                                    file(std::string(252, 'n')), file(std::string(300, 'n'))}) {
        const auto [code, sentence] = refusal(path, true);
        EXPECT_EQ(code, ExitCode::cannot_create) << path;
        EXPECT_THAT(sentence, HasSubstr(path));
    }
    EXPECT_EQ(refusal("", true).first, ExitCode::usage);
    if (::geteuid() == 0) return; // root may write anywhere
    fs::create_directory(file("locked"));
    fs::permissions(file("locked"), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(refusal(file("locked/x"), true).first, ExitCode::cannot_create);
}

TEST_F(Output, WhatIsReadIsNeverWrittenByWhateverName) {
    write(file("model"), "weights");
    write(file("out.part"), "weights too");
    fs::create_hard_link(file("model"), file("twin"));
    fs::create_symlink("model", file("link"));
    fs::create_directory(file("sub"));
    for (const std::string& path :
         {file("model"), file("sub/../model"), file("twin"), file("link")})
        for (const bool replace : {false, true}) {
            const auto [code, sentence] =
                refusal(path, replace, {"", file("absent"), file("model")});
            EXPECT_EQ(code, ExitCode::usage) << path;
            EXPECT_THAT(sentence, HasSubstr("is being read"));
        }
    EXPECT_EQ(refusal(file("out"), true, {file("out.part")}).first, ExitCode::usage);
    EXPECT_EQ(refusal(file("model"), true, {file("out.part")}).first, ExitCode::done);
}

TEST_F(Output, AWholeFileTakesItsNameAndAnUnfinishedOneLeavesNothing) {
    write(file("x"), "old");
    {
        const OutputFile output(file("x"));
        write(output.part(), "half");
        EXPECT_EQ(content_of(file("x")), "old");
    }
    EXPECT_EQ(content_of(file("x")), "old");
    EXPECT_FALSE(fs::exists(file("x.part")));
    OutputFile output(file("x"));
    write(output.part(), "new");
    output.commit();
    EXPECT_EQ(content_of(file("x")), "new");
    EXPECT_FALSE(fs::exists(file("x.part")));
}

TEST_F(Output, LinksAreFollowedAndStay) {
    fs::create_directory(file("data"));
    fs::create_symlink("data/real", file("second"));
    fs::create_symlink(file("second"), file("first"));
    for (const char* text : {"created through a dangling link", "replaced"}) {
        EXPECT_EQ(refusal(file("first"), true).first, ExitCode::done);
        OutputFile output(file("first"));
        EXPECT_EQ(output.part(), file("data/real.part"));
        write(output.part(), text);
        output.commit();
        EXPECT_TRUE(fs::is_symlink(file("first")) && fs::is_symlink(file("second")));
        EXPECT_EQ(content_of(file("data/real")), text);
    }
    fs::create_symlink("nowhere/real", file("lost"));
    EXPECT_EQ(refusal(file("lost"), true).first, ExitCode::cannot_create);
}

TEST_F(Output, ThePartIsNoOtherFile) {
    write(file("other"), "precious");
    fs::create_hard_link(file("other"), file("x.part"));
    {
        OutputFile output(file("x"));
        write(output.part(), "new");
        output.commit();
    }
    EXPECT_EQ(content_of(file("other")), "precious");
    fs::create_symlink("other", file("y.part"));
    const auto [code, sentence] = refusal(file("y"), true);
    EXPECT_EQ(code, ExitCode::cannot_create);
    EXPECT_THAT(sentence, AllOf(HasSubstr("y.part"), HasSubstr("a symbolic link")));
    EXPECT_THROW(OutputFile{file("y")}, IoError);
}

TEST_F(Output, NullKeepsNothingAndStays) {
    std::string null = "/dev/null";
    if (::mknod(file("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0)
        null = file("null"); // root could lose the machine's own here
    fs::create_symlink(null, file("link"));
    for (const std::string& path : {null, file("link")}) {
        EXPECT_EQ(refusal(path, false).first, ExitCode::done);
        OutputFile output(path);
        EXPECT_TRUE(output.is_dropped());
        write(output.part(), "dropped");
        output.commit();
        EXPECT_TRUE(fs::is_character_file(null));
        EXPECT_TRUE(fs::is_symlink(file("link")));
        EXPECT_FALSE(fs::exists(path + ".part"));
    }
}

TEST_F(Output, ADyingProcessRemovesItsParts) {
    const OutputFile output(file("x"));
    write(output.part(), "half");
    remove_unfinished_outputs();
    EXPECT_TRUE(fs::is_empty(folder_.path()));
}

} // namespace
} // namespace pillar
