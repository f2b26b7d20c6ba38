#include "result_file.hpp"

#include "result.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/hash.hpp"
#include "pillar/core/text.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace pillar::batch {

namespace {

constexpr std::size_t scan_bytes = std::size_t{1} << 20;
constexpr double sync_interval_s = 1.0;

std::uint64_t hash_of_id(std::string_view custom_id) {
    return hash_bytes(std::as_bytes(std::span(custom_id)));
}

/// The line that "batch_req_17" is of.
std::optional<std::uint64_t> line_of(std::string_view id) {
    if (!id.starts_with(id_prefix)) return std::nullopt;
    id.remove_prefix(id_prefix.size());
    std::uint64_t line = 0;
    const auto [end, failure] = std::from_chars(id.data(), id.data() + id.size(), line);
    if (failure != std::errc() || end != id.data() + id.size()) return std::nullopt;
    return line;
}

/// What a result begins with, or the beginning of that.
bool is_torn_result(std::string_view text) {
    const std::string begin = fmt::format("{{\"id\":\"{}", id_prefix);
    return text.substr(0, begin.size()) == std::string_view(begin).substr(0, text.size());
}

} // namespace

ResultFile::ResultFile(const std::string& path, Sync sync, const Shard& shard,
                       FunctionRef<void()> heartbeat)
    : path_(path), sync_(sync), shard_(shard) {
    if (path == "-") return;
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file_ < 0)
        throw IoError(ExitCode::cannot_create, path,
                      fmt::format("cannot be made: {}", std::generic_category().message(errno)));
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
        const int reason = errno;
        ::close(file_);
        if (reason != EWOULDBLOCK) throw IoError::from_errno(path, "lock", reason);
        throw Error(ExitCode::refused,
                    fmt::format("{}: another job is writing its results there; give each job an "
                                "output of its own (-o), or wait for it",
                                printable(path, 4096)));
    }
    try {
        scan(heartbeat);
    } catch (...) {
        ::close(file_);
        throw;
    }
}

ResultFile::~ResultFile() {
    if (file_ >= 0) ::close(file_);
}

void ResultFile::scan(FunctionRef<void()> heartbeat) {
    std::vector<char> piece(scan_bytes);
    std::string rest; // of a line that is not whole yet
    std::uint64_t n_lines = 0;
    for (std::uint64_t at = 0;;) {
        heartbeat();
        const ssize_t n = ::pread(file_, piece.data(), piece.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw IoError::from_errno(path_, "read", errno);
        if (n == 0) break;
        at += static_cast<std::uint64_t>(n);
        std::string_view text(piece.data(), static_cast<std::size_t>(n));
        for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
            rest += text.substr(0, end);
            read_result(rest, ++n_lines);
            size_ += rest.size() + 1;
            rest.clear();
            text.remove_prefix(end + 1);
        }
        rest += text;
    }
    if (!is_torn_result(rest)) refuse_line(n_lines + 1);
    n_torn_ = rest.size();
    if (n_torn_ > 0 && ::ftruncate(file_, static_cast<off_t>(size_)) != 0)
        throw IoError::from_errno(path_, "cut", errno);
}

void ResultFile::read_result(std::string_view text, std::uint64_t number) {
    const auto result = nlohmann::json::parse(text, nullptr, false);
    const auto id = result.is_object() && result.contains("id") && result["id"].is_string()
                        ? line_of(result["id"].get<std::string>())
                        : std::nullopt;
    if (!id) refuse_line(number);
    if (*id % shard_.count != shard_.index)
        throw Error(ExitCode::cannot_create,
                    fmt::format("{}: it has the result of line {}, which is not of shard {}/{}; "
                                "give each shard an output of its own (-o)",
                                printable(path_, 4096), *id + 1, shard_.index, shard_.count));
    const auto custom = result.find("custom_id");
    const bool has_id = custom != result.end() && custom->is_string();
    found_.emplace(*id,
                   has_id ? std::optional(hash_of_id(custom->get<std::string>())) : std::nullopt);
}

void ResultFile::refuse_line(std::uint64_t number) const {
    throw Error(ExitCode::cannot_create,
                fmt::format("{}: line {} is no result of `pillar batch`; name another file with "
                            "-o, or remove this one",
                            printable(path_, 4096), number));
}

bool ResultFile::has(std::uint64_t line, std::string_view custom_id) const {
    const auto found = found_.find(line);
    if (found == found_.end()) return false;
    if (found->second && *found->second != hash_of_id(custom_id))
        throw Error(ExitCode::cannot_create,
                    fmt::format("{}: its result of line {} is not of \"{}\", which the input has "
                                "there: the results are of another input; name another file with "
                                "-o, or remove this one",
                                printable(path_, 4096), line + 1, printable(custom_id)));
    return true;
}

void ResultFile::append(std::string_view line, FunctionRef<void()> heartbeat) {
    std::string text(line);
    text += '\n';
    if (file_ < 0) return terminal::write_text(text, heartbeat);
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t n = ::pwrite(file_, text.data() + done, text.size() - done,
                                   static_cast<off_t>(size_ + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int reason = errno;
            [[maybe_unused]] const int cut = ::ftruncate(file_, static_cast<off_t>(size_));
            throw IoError::from_errno(path_, "write", reason);
        }
        done += static_cast<std::size_t>(n);
    }
    size_ += text.size();
    is_dirty_ = true;
    if (sync_ == Sync::never) return;
    if (sync_ == Sync::second && since_sync_.elapsed_s() < sync_interval_s) return;
    if (::fdatasync(file_) != 0) throw IoError::from_errno(path_, "sync", errno);
    is_dirty_ = false;
    since_sync_.restart();
}

void ResultFile::close() {
    if (file_ < 0) return;
    if (is_dirty_ && sync_ != Sync::never && ::fdatasync(file_) != 0)
        throw IoError::from_errno(path_, "sync", errno);
    const int file = std::exchange(file_, -1);
    if (::close(file) != 0) throw IoError::from_errno(path_, "close", errno);
}

} // namespace pillar::batch
