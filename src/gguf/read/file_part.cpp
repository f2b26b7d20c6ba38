// Opens one file without ever waiting for it, reads its header in growing pieces, and the tensors'
// bytes on demand.

#include "file_part.hpp"

#include "parse.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pillar::gguf {

namespace {

constexpr std::uint64_t first_piece_bytes = 1u << 20;

/// What a path leads to instead of a regular file.
std::string_view kind_of(mode_t mode) noexcept {
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

/// Close a descriptor whatever happens while the constructor still works with it.
struct Descriptor {
    int number;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

} // namespace

FilePart::FilePart(const std::filesystem::path& path) : path_(path.string()) {
    // Without O_NONBLOCK, opening a pipe would wait for its other end.
    Descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    if (file.number < 0) throw IoError::from_errno(path_, "open", errno);
    struct stat status {};
    if (::fstat(file.number, &status) != 0) throw IoError::from_errno(path_, "inspect", errno);
    if (!S_ISREG(status.st_mode))
        throw IoError(ExitCode::no_input, path_,
                      fmt::format("is {}, not a model file", kind_of(status.st_mode)));
    size_bytes_ = static_cast<std::uint64_t>(status.st_size);
    changed_ = status.st_mtim;
    descriptor_ = file.number;

    std::vector<std::byte> bytes;
    std::uint64_t wanted = first_piece_bytes;
    for (;;) {
        const std::size_t at_hand = bytes.size();
        bytes.resize(std::min(std::max(wanted, 2 * at_hand), size_bytes_));
        read(at_hand, std::span(bytes).subspan(at_hand), nullptr);
        auto result = parse_beginning(bytes, size_bytes_, path_);
        if (auto* complete = std::get_if<Directory>(&result)) {
            directory = std::move(*complete);
            break;
        }
        wanted = std::get<std::uint64_t>(result);
    }
    file.number = -1; // ours from here on
}

FilePart::FilePart(std::string name, Directory tensors, ReadTensor read)
    : directory(std::move(tensors)), path_(std::move(name)), size_bytes_(directory.data_offset),
      read_(std::move(read)) {
    for (const TensorInfo& tensor : directory.tensors)
        size_bytes_ = std::max(size_bytes_, tensor.offset + tensor.size_bytes);
}

FilePart::~FilePart() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

FilePart::FilePart(FilePart&& other) noexcept
    : directory(std::move(other.directory)), path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)), size_bytes_(other.size_bytes_),
      changed_(other.changed_), read_(std::move(other.read_)) {}

void FilePart::read_tensor(const TensorInfo& tensor, std::uint64_t begin,
                           std::span<std::byte> out) const {
    if (read_)
        read_(tensor, begin, out);
    else
        read(tensor.offset + begin, out, &tensor);
}

void FilePart::expect_unchanged() const {
    if (read_) return;
    struct stat now {};
    if (::fstat(descriptor_, &now) != 0) throw IoError::from_errno(path_, "inspect", errno);
    if (static_cast<std::uint64_t>(now.st_size) == size_bytes_ &&
        now.st_mtim.tv_sec == changed_.tv_sec && now.st_mtim.tv_nsec == changed_.tv_nsec)
        return;
    throw IoError(ExitCode::io, path_,
                  "the file was changed while it was in use: its weights are no longer those that "
                  "were loaded; leave it alone while it runs, and start again");
}

void FilePart::read(std::uint64_t begin, std::span<std::byte> out, const TensorInfo* tensor) const {
    const auto what = [&] {
        return tensor == nullptr ? "header" : fmt::format("tensor \"{}\"", printable(tensor->name));
    };
    std::uint64_t place = begin;
    while (!out.empty()) {
        const ssize_t n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(place));
        if (n < 0) {
            if (errno == EINTR) continue;
            const int reason = errno;
            throw IoError::from_errno(path_, fmt::format("read {} at byte {}", what(), place),
                                      reason);
        }
        if (n == 0)
            throw IoError(ExitCode::io, path_,
                          fmt::format("{} at byte {}: the file ends here but had {} bytes when it "
                                      "was opened; it was changed meanwhile",
                                      what(), place, size_bytes_));
        place += static_cast<std::uint64_t>(n);
        out = out.subspan(static_cast<std::size_t>(n));
    }
}

} // namespace pillar::gguf
