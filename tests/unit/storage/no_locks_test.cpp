// A file system without locks: flock, which HDF5 and the journal call, is this file's own.

#include "pillar/storage/reader.hpp"
#include "pillar/storage/writer.hpp"
#include "support/temporary_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

bool has_locks = true;
int n_refused = 0;

} // namespace

extern "C" int flock(int file, int operation) noexcept {
    if (has_locks) return static_cast<int>(::syscall(SYS_flock, file, operation));
    ++n_refused;
    errno = ENOLCK;
    return -1;
}

namespace pillar::storage {
namespace {

/// Write and read a file; in a process of its own, since HDF5 reads its variable once.
[[noreturn]] void write_and_read(const std::string& path, const char* locking) {
    has_locks = false;
    if (locking == nullptr) {
        ::unsetenv("HDF5_USE_FILE_LOCKING");
    } else {
        ::setenv("HDF5_USE_FILE_LOCKING", locking, 1);
    }
    try {
        {
            File file(path);
            file.root().attribute("answer", std::int64_t{42});
            file.close();
        }
        const Reader reader(path);
        std::exit(reader.attribute("/", "answer") == Value(std::int64_t{42}) ? 0 : 1);
    } catch (const std::exception& error) {
        ::write(STDERR_FILENO, error.what(), std::string_view(error.what()).size());
        std::exit(n_refused > 0 ? 2 : 3);
    }
}

TEST(StorageLocks, AreNotAskedForUnlessTheUserWantsThem) {
    const support::TemporaryDirectory directory;
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    for (const char* locking : {static_cast<const char*>(nullptr), "BEST_EFFORT", "FALSE"}) {
        EXPECT_EXIT(write_and_read(directory.file("x.h5"), locking), ::testing::ExitedWithCode(0),
                    "^$")
            << (locking == nullptr ? "unset" : locking);
    }
    EXPECT_EXIT(write_and_read(directory.file("x.h5"), "TRUE"), ::testing::ExitedWithCode(2),
                "HDF5_USE_FILE_LOCKING=FALSE");
}

} // namespace
} // namespace pillar::storage
