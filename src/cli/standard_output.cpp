#include "standard_output.hpp"

#include "waiting.hpp"

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <cstdio>
#include <unistd.h>

namespace pillar::cli {

void write_text(std::string_view text, FunctionRef<void()> attend) {
    wait_until_writable(STDOUT_FILENO, attend);
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw IoError::from_errno("standard output", "write", errno);
}

} // namespace pillar::cli
