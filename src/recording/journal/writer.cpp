// Appending records with plain system calls: after a kill they are in the page cache, whole or torn
// at the end.

#include "journal/journal.hpp"
#include "layout.hpp"

#include "pillar/core/output_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

namespace pillar::recording {

namespace {

/// Both parts in one call, or in as many as the system wants.
bool write_all(int file, std::span<const std::byte> head,
               std::span<const std::byte> rest) noexcept {
    while (!head.empty() || !rest.empty()) {
        const std::array<iovec, 2> parts{iovec{const_cast<std::byte*>(head.data()), head.size()},
                                         iovec{const_cast<std::byte*>(rest.data()), rest.size()}};
        const ssize_t n = ::writev(file, parts.data(), 2);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        const auto of_head = std::min(head.size(), static_cast<std::size_t>(n));
        head = head.subspan(of_head);
        rest = rest.subspan(static_cast<std::size_t>(n) - of_head);
    }
    return true;
}

} // namespace

JournalWriter::JournalWriter(const std::string& path, bool replace) : path_(path) {
    const int must_be_new = replace ? 0 : O_EXCL;
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | must_be_new, 0666);
    if (file_ < 0) fail(errno);
    // No locks on this file system: two runs that write one journal are then not noticed.
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) fail(EBUSY);
    size_ = journal_magic.size();
    if (::ftruncate(file_, 0) != 0 ||
        !write_all(file_, std::as_bytes(std::span(journal_magic)), {})) {
        const int reason = errno;
        ::unlink(path.c_str());
        fail(reason);
    }
}

void JournalWriter::fail(int reason) {
    if (file_ >= 0) ::close(file_);
    throw IoError(ExitCode::cannot_create, path_,
                  "cannot create: " + std::generic_category().message(reason));
}

JournalWriter::~JournalWriter() {
    if (file_ >= 0) ::close(file_);
}

bool JournalWriter::append(RecordType type, std::span<const std::byte> payload,
                           std::uint32_t n_to_come) noexcept {
    if (failure_ != 0) return false;
    RecordHead head{.type = type, .n_to_come = n_to_come, .length = payload.size(), .checksum = 0};
    head.checksum = checksum_of(head, payload);
    if (write_all(file_, std::as_bytes(std::span(&head, 1)), payload)) {
        size_ += sizeof head + payload.size();
        return true;
    }
    failure_ = errno;
    // Should cutting fail too, a reader stops at the torn record all the same.
    [[maybe_unused]] const int cut = ::ftruncate(file_, static_cast<off_t>(size_));
    return false;
}

} // namespace pillar::recording
