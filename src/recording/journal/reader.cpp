// Walking a journal that may end anywhere: after a kill, a full disk or a flipped bit.

#include "journal/journal.hpp"
#include "layout.hpp"

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pillar::recording {

JournalReader::JournalReader(const std::string& path) : path_(path) {
    file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) throw IoError::from_errno(path, "open", errno);
    struct stat status {};
    const bool known = ::fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
    size_ = known ? static_cast<std::uint64_t>(status.st_size) : 0;
    std::array<char, journal_magic.size()> magic{};
    rewind();
    if (size_ < magic.size() || !read_at(0, std::as_writable_bytes(std::span(magic))) ||
        magic != journal_magic) {
        ::close(file_);
        throw FormatError(path, "", std::nullopt, "is not the journal of a pillar trace");
    }
}

JournalReader::~JournalReader() {
    ::close(file_);
}

void JournalReader::rewind() noexcept {
    position_ = journal_magic.size();
}

bool JournalReader::is_being_written() const noexcept {
    if (::flock(file_, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
    ::flock(file_, LOCK_UN);
    return false;
}

/// False at the end of the file, which may have been cut since its size was asked.
bool JournalReader::read_at(std::uint64_t offset, std::span<std::byte> target) {
    while (!target.empty()) {
        const ssize_t n = ::pread(file_, target.data(), target.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw IoError::from_errno(path_, "read", errno);
        if (n == 0) return false;
        target = target.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
    return true;
}

std::optional<Record> JournalReader::next() {
    RecordHead head;
    if (size_ - position_ < sizeof head) return std::nullopt;
    if (!read_at(position_, std::as_writable_bytes(std::span(&head, 1)))) return std::nullopt;
    if (head.length > size_ - position_ - sizeof head) return std::nullopt;
    payload_.resize(static_cast<std::size_t>(head.length));
    if (!read_at(position_ + sizeof head, payload_)) return std::nullopt;
    if (checksum_of(head, payload_) != head.checksum) return std::nullopt;
    const Record record{head.type, position_, head.n_to_come, payload_};
    position_ += sizeof head + head.length;
    return record;
}

} // namespace pillar::recording
