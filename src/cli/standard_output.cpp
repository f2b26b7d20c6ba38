#include "standard_output.hpp"

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <cstdio>

namespace pillar::cli {

void write_text(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw IoError::from_errno("standard output", "write", errno);
}

} // namespace pillar::cli
