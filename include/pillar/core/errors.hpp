#pragma once
// Errors that end a request or the program: one sentence for the user and the exit code for the
// shell. Thrown during setup and at request borders only; nothing is thrown between two tokens or
// inside a thread team. How ranks agree on an error is comm's business; how it is printed is
// main's.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pillar {

/// What the shell sees; the numbers follow sysexits.h, docs/running.md tells what mpirun and srun
/// make of them.
enum class ExitCode : int {
    done = 0,
    usage = 64,         ///< bad flags or request
    bad_data = 65,      ///< the model or data file is wrong
    no_input = 66,      ///< no such file
    peer_lost = 69,     ///< another rank or node is gone
    internal = 70,      ///< a fault of this program
    cannot_create = 73, ///< the output cannot be created
    io = 74,            ///< reading or writing failed
    resumable = 75,     ///< stopped early, run again to go on
    refused = 77,       ///< the request cannot be granted here (memory, permission)
    disagree = 78,      ///< the ranks do not agree (file, binary, options, bits)
};

/// Base of all errors. `what()` is one sentence: what is wrong, where, what to do.
class Error : public std::runtime_error {
  public:
    Error(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
    [[nodiscard]] ExitCode code() const noexcept { return code_; }

  private:
    ExitCode code_;
};

/// Flags or a request that cannot be meant; the same on all ranks.
class UsageError : public Error {
  public:
    explicit UsageError(const std::string& sentence) : Error(ExitCode::usage, sentence) {}
};

/// A file whose content is wrong: names the file, the field and, where there is one, the byte
/// offset.
class FormatError : public Error {
  public:
    FormatError(std::string file, std::string field, std::optional<std::uint64_t> offset,
                const std::string& problem);

    std::string file;                    ///< path as the user gave it
    std::string field;                   ///< metadata key, tensor name or header field
    std::optional<std::uint64_t> offset; ///< byte offset in the file
};

/// open, read, write or close failed: names the file and the system's reason.
class IoError : public Error {
  public:
    IoError(ExitCode code, std::string file, const std::string& problem);
    /// Build from errno: ENOENT and what is no regular file give no_input, everything else io.
    static IoError from_errno(const std::string& file, const std::string& operation,
                              int errno_value);

    std::string file;
};

/// Make text from outside fit for one terminal line: control characters and ANSI escapes become
/// \xNN. Cuts at `max_bytes` (never inside a UTF-8 character) and says so with "...".
std::string printable(std::string_view text, std::size_t max_bytes = 120);

/// A place in the source: std::source_location, which clang 14 does not have.
struct SourceLocation {
    const char* file;
    const char* function;
    unsigned line;

    /// Of the caller.
    static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                            const char* function = __builtin_FUNCTION(),
                                            unsigned line = __builtin_LINE()) noexcept {
        return {file, function, line};
    }
};

/// Print "[pillar] internal error: ..." with the place and end the process with ExitCode::internal.
[[noreturn]] void contract_broken(std::string_view text, const SourceLocation& where) noexcept;

/// State what a function relies on. A broken contract is a programmer's error: it ends the process.
inline void expects(bool condition, std::string_view text,
                    const SourceLocation& where = SourceLocation::current()) noexcept {
    if (!condition) [[unlikely]]
        contract_broken(text, where);
}

} // namespace pillar
