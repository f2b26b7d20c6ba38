// The sentences of the error types, text made safe for a terminal, and the end of the process on a
// broken contract.

#include "pillar/core/errors.hpp"

#include "pillar/core/program.hpp"

#include <cerrno>
#include <cstdlib>
#include <fmt/core.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pillar {

namespace {

constexpr std::size_t max_path_bytes = 4096;

std::string format_sentence(const std::string& file, const std::string& field,
                            std::optional<std::uint64_t> offset, const std::string& problem) {
    std::string place = printable(file, max_path_bytes);
    if (!field.empty()) place += ": " + printable(field);
    if (offset) place += fmt::format(" at byte {}", *offset);
    return place + ": " + problem;
}

} // namespace

FormatError::FormatError(std::string file_, std::string field_,
                         std::optional<std::uint64_t> offset_, const std::string& problem)
    : Error(ExitCode::bad_data, format_sentence(file_, field_, offset_, problem)),
      file(std::move(file_)), field(std::move(field_)), offset(offset_) {}

IoError::IoError(ExitCode code, std::string file_, const std::string& problem)
    : Error(code, printable(file_, max_path_bytes) + ": " + problem), file(std::move(file_)) {}

IoError IoError::from_errno(const std::string& file, const std::string& operation,
                            int errno_value) {
    const bool no_such_file = errno_value == ENOENT || errno_value == ENOTDIR ||
                              errno_value == EISDIR || errno_value == ENXIO;
    const std::string reason = std::generic_category().message(errno_value);
    return {no_such_file ? ExitCode::no_input : ExitCode::io, file,
            fmt::format("cannot {}: {}", operation, reason)};
}

void contract_broken(std::string_view text, const SourceLocation& where) noexcept {
    // A buffer of fixed size: the fault may be that memory has run out.
    char sentence[1024];
    const auto end =
        fmt::format_to_n(sentence, sizeof sentence - 1, "[pillar] internal error: {} ({}:{}, {})",
                         text, where.file, where.line, where.function);
    *end.out = '\n';
    const auto n = static_cast<std::size_t>(end.out - sentence) + 1;
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, sentence, n);
    run_abort_hook();
    std::_Exit(static_cast<int>(ExitCode::internal));
}

} // namespace pillar
