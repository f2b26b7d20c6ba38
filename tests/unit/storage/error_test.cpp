// Every failure is one sentence with the file and the object; nothing is printed by HDF5 itself.

#include "pillar/storage/reader.hpp"
#include "pillar/storage/writer.hpp"
#include "support/temporary_directory.hpp"

#include <csignal>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace pillar::storage {
namespace {

using support::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::HasSubstr;

template <class Throwing>
std::string sentence_of(Throwing&& throwing, ExitCode code) {
    try {
        throwing();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code);
        return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return "";
}

TEST(StorageErrors, CreationInAMissingFolderNamesTheFileAndTheReason) {
    ::testing::internal::CaptureStderr();
    const std::string sentence =
        sentence_of([] { const File file("/nonexistent/x.h5"); }, ExitCode::cannot_create);
    EXPECT_THAT(sentence, AllOf(HasSubstr("/nonexistent/x.h5"), HasSubstr("No such file")));
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(StorageErrors, ReadingNamesWhatIsMissing) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    EXPECT_THAT(sentence_of([&] { const Reader reader(path); }, ExitCode::no_input),
                HasSubstr("x.h5"));
    std::ofstream(path) << "not HDF5";
    EXPECT_THAT(sentence_of([&] { const Reader reader(path); }, ExitCode::bad_data),
                HasSubstr("not an HDF5 file"));
    File file(path);
    file.close();
    const Reader reader(path);
    EXPECT_FALSE(reader.has("/steps/duration_s"));
    EXPECT_THAT(
        sentence_of([&] { (void)reader.column<double>("/steps/duration_s"); }, ExitCode::bad_data),
        AllOf(HasSubstr("x.h5"), HasSubstr("/steps/duration_s"), HasSubstr("missing")));
    EXPECT_THAT(sentence_of([&] { (void)reader.column<double>("/"); }, ExitCode::bad_data),
                HasSubstr("x.h5"));
}

TEST(StorageErrors, AFileCutShortIsRefusedWithoutACrash) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    File file(path);
    Column column = file.root().column<double>("values", {.units = "s"});
    column.append(std::span<const double>(std::vector<double>(5000, 0.25)));
    column.finish();
    file.close();
    const auto size = std::filesystem::file_size(path);
    for (std::uintmax_t length = 0; length < size; length += 97) {
        const std::string cut = directory.file("cut.h5");
        std::filesystem::copy_file(path, cut, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(cut, length);
        EXPECT_THROW((void)Reader(cut).column<double>("/values"), Error) << length;
    }
}

/// Write more than the limit on file sizes allows; exit with 74 when the error is the expected one.
[[noreturn]] void write_beyond_limit(const std::string& path) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20000, 20000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int code = 0;
    try {
        File file(path);
        Column column = file.root().column<std::uint64_t>("values", {});
        for (std::uint64_t i = 0; i < 200000; ++i)
            column.append<std::uint64_t>(i * 0x9e3779b97f4a7c15ull);
        column.finish();
        file.close();
    } catch (const IoError& error) {
        code = static_cast<int>(error.code());
        std::fputs(error.what(), stderr);
    }
    std::exit(code); // with HDF5's own cleaning up
}

TEST(StorageErrors, AFullMediumIsAnIoErrorAndTheProcessEndsInOrder) {
    const TemporaryDirectory directory;
    EXPECT_EXIT(write_beyond_limit(directory.file("x.h5")), ::testing::ExitedWithCode(74),
                "x.h5.*File too large");
}

} // namespace
} // namespace pillar::storage
