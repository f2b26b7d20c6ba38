// Closed descriptors and the signals of write(2), each in a process of its own.

#include "pillar/core/program.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pillar {
namespace {

/// The exit code of a child that runs `action`; 128 and more: it was killed.
template <class F>
int code_of(F action) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(action());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool fails_with(ssize_t result, int reason) {
    return result < 0 && errno == reason;
}

TEST(Process, closed_standard_descriptors_are_given_to_no_other_file) {
    for (unsigned closed = 0; closed < 8; ++closed) {
        const int code = code_of([closed] {
            for (int descriptor = 0; descriptor < 3; ++descriptor)
                if ((closed >> descriptor & 1u) != 0) ::close(descriptor);
            open_standard_descriptors();
            if (::open("/dev/zero", O_RDWR) < 3) return 1;
            char byte = 'x';
            if ((closed & 1u) != 0 && !fails_with(::read(0, &byte, 1), EBADF)) return 2;
            if ((closed & 2u) != 0 && !fails_with(::write(1, &byte, 1), EBADF)) return 3;
            if ((closed & 4u) != 0 && ::write(2, &byte, 1) != 1) return 4;
            return 0;
        });
        EXPECT_EQ(code, 0) << "closed: " << closed;
    }
}

TEST(Process, open_standard_descriptors_stay_as_they_are) {
    const int code = code_of([] {
        int pipe[2];
        if (::pipe(pipe) != 0) return 1;
        ::dup2(pipe[0], 0);
        ::dup2(pipe[1], 1);
        open_standard_descriptors();
        char byte = 'x';
        if (::write(1, "y", 1) != 1 || ::read(0, &byte, 1) != 1) return 2;
        return byte == 'y' ? 0 : 3;
    });
    EXPECT_EQ(code, 0);
}

TEST(Process, lost_readers_and_limits_are_errors_of_write) {
    const int code = code_of([] {
        ignore_write_signals();
        int pipe[2];
        if (::pipe(pipe) != 0) return 1;
        ::close(pipe[0]);
        if (!fails_with(::write(pipe[1], "x", 1), EPIPE)) return 2;
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_FSIZE, &none);
        char name[] = "/tmp/pillar-process-XXXXXX";
        const int file = ::mkstemp(name);
        ::unlink(name);
        return fails_with(::write(file, "x", 1), EFBIG) ? 0 : 3;
    });
    EXPECT_EQ(code, 0);
}

} // namespace
} // namespace pillar
