#include "pillar/core/output_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace pillar {

namespace {

constexpr int max_links = 40; // as Linux follows
constexpr std::size_t max_path_bytes = 4096;

std::string reason_of(int errno_value) {
    return std::generic_category().message(errno_value);
}

IoError cannot_create(const std::string& path, const std::string& why) {
    return {ExitCode::cannot_create, path, "cannot create: " + why};
}

bool is_null(const struct stat& status) {
    struct stat null {};
    return S_ISCHR(status.st_mode) && ::stat("/dev/null", &null) == 0 && S_ISCHR(null.st_mode) &&
           null.st_rdev == status.st_rdev;
}

const char* kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    if (S_ISLNK(mode)) return "a symbolic link";
    return "a device";
}

/// Nothing where no file is there.
std::optional<struct stat> status_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return status;
    if (errno != ENOENT) throw cannot_create(path, reason_of(errno));
    return std::nullopt;
}

bool is_same(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void expect_unread(const std::string& path, const struct stat& status,
                   std::span<const std::string> inputs) {
    struct stat other {};
    for (const std::string& input : inputs)
        if (::stat(input.c_str(), &other) == 0 && is_same(status, other))
            throw UsageError(fmt::format(
                "{} is being read{}; give the output another name", printable(path, max_path_bytes),
                input == path ? "" : fmt::format(" as {}", printable(input, max_path_bytes))));
    constexpr const char* streams[] = {"standard input", "standard output", "standard error"};
    for (int descriptor = 0; descriptor < 3; ++descriptor)
        if (::fstat(descriptor, &other) == 0 && S_ISREG(other.st_mode) && is_same(status, other))
            throw UsageError(fmt::format("{} is {} already; give the output another name",
                                         printable(path, max_path_bytes), streams[descriptor]));
}

void expect_folder(const std::string& path, const std::string& target) {
    const std::string parent = std::filesystem::path(target).parent_path().string();
    const std::string folder = parent.empty() ? "." : parent;
    const std::string shown = printable(folder, max_path_bytes);
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0)
        throw cannot_create(path, fmt::format("the folder {}: {}", shown, reason_of(errno)));
    if (!S_ISDIR(status.st_mode))
        throw cannot_create(path, fmt::format("{} is not a folder", shown));
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        throw cannot_create(path, fmt::format("the folder {}: {}", shown, reason_of(errno)));
}

/// A file beside the target is ours or is not there.
std::optional<struct stat> expect_ours(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno != ENOENT) throw cannot_create(path, reason_of(errno));
        return std::nullopt;
    }
    if (!S_ISREG(status.st_mode))
        throw IoError(
            ExitCode::cannot_create, path,
            fmt::format("is {} and in the way; move it elsewhere", kind_of(status.st_mode)));
    return status;
}

/// Make a rename survive a power cut. Not all file systems offer it; then the rename alone must do.
void sync_folder_of(const std::string& target) noexcept {
    const std::size_t slash = target.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : target.substr(0, slash + 1);
    const int file = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    [[maybe_unused]] const int synced = ::fsync(file);
    ::close(file);
}

std::mutex unfinished_mutex;
std::vector<std::string>& unfinished() {
    static std::vector<std::string> parts;
    return parts;
}

void forget_unfinished(const std::string& part) noexcept {
    const std::lock_guard lock(unfinished_mutex);
    const auto place = std::ranges::find(unfinished(), part);
    if (place != unfinished().end()) unfinished().erase(place);
}

} // namespace

std::string output_target(const std::string& path) {
    const auto status = status_of(path); // also of what only /proc can follow, as /dev/stdout
    if (status && is_null(*status)) return path;
    if (status && !S_ISREG(status->st_mode))
        throw IoError(ExitCode::cannot_create, path,
                      fmt::format("is {}; an output is a regular file or /dev/null",
                                  kind_of(status->st_mode)));
    std::filesystem::path target = path;
    for (int i = 0; i < max_links; ++i) {
        std::error_code is_no_link;
        const std::filesystem::path next = std::filesystem::read_symlink(target, is_no_link);
        if (is_no_link) return target.string();
        target = target.parent_path() / next; // an absolute one replaces all
    }
    throw cannot_create(path, reason_of(ELOOP));
}

bool drops_output(const std::string& target) {
    struct stat status {};
    return ::stat(target.c_str(), &status) == 0 && is_null(status);
}

void expect_output(const std::string& path, bool replace, std::span<const std::string> inputs,
                   std::initializer_list<std::string_view> beside) {
    if (path.empty()) throw UsageError("the output has no name; give one");
    const std::string target = output_target(path);
    if (drops_output(target)) return;
    if (const auto status = status_of(target)) {
        expect_unread(path, *status, inputs);
        if (!replace)
            throw IoError(ExitCode::cannot_create, path,
                          "exists already; choose another name or replace it with --force");
    }
    expect_folder(path, target);
    for (const std::string_view ending : beside) {
        const std::string other = target + std::string(ending);
        if (const auto status = expect_ours(other)) expect_unread(other, *status, inputs);
    }
}

OutputFile::OutputFile(const std::string& path)
    : path_(path), target_(output_target(path)),
      part_(drops_output(target_) ? target_ : target_ + ".part") {
    if (is_dropped()) return;
    if (expect_ours(part_)) ::unlink(part_.c_str()); // it may be a second name of another file
    const std::lock_guard lock(unfinished_mutex);
    unfinished().push_back(part_);
}

OutputFile::~OutputFile() {
    if (is_committed_ || is_dropped()) return;
    ::unlink(part_.c_str());
    forget_unfinished(part_);
}

void OutputFile::commit() {
    if (is_dropped()) return;
    if (std::rename(part_.c_str(), target_.c_str()) != 0)
        throw cannot_create(path_, reason_of(errno));
    is_committed_ = true;
    forget_unfinished(part_);
    sync_folder_of(target_);
}

void remove_unfinished_outputs() noexcept {
    const std::unique_lock lock(unfinished_mutex, std::try_to_lock);
    if (!lock.owns_lock()) return;
    for (const std::string& part : unfinished()) ::unlink(part.c_str());
}

} // namespace pillar
