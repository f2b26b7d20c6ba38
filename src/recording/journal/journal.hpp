#pragma once
// FILE.h5.journal: what rank 0 appends during the run. A magic word, then records: {type, length,
// checksum} and the payload. Each record goes out in one write(2) without buffering here, so what
// was written survives the process. A reader takes every whole record and stops at the first that
// is torn or whose checksum is wrong.

#include "journal/records.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pillar::recording {

class JournalWriter {
  public:
    /// Create the file and lock it. Throws IoError(cannot_create), also when it exists and
    /// `replace` is false, or when another process writes it.
    JournalWriter(const std::string& path, bool replace);
    ~JournalWriter();
    JournalWriter(const JournalWriter&) = delete;
    JournalWriter& operator=(const JournalWriter&) = delete;

    /// Append one record; false when the medium does not take it (full disk, quota): the torn
    /// record is cut off again, the journal stays as it was and every later append is refused. No
    /// allocation. `n_to_come`: steps of the same gather that the records after this one will hold.
    bool append(RecordType type, std::span<const std::byte> payload,
                std::uint32_t n_to_come = 0) noexcept;
    bool append(RecordType type, const std::string& payload, std::uint32_t n_to_come = 0) noexcept {
        return append(type, std::as_bytes(std::span(payload)), n_to_come);
    }

    /// errno of the append that failed, 0 while all is well.
    [[nodiscard]] int failure() const noexcept { return failure_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    [[noreturn]] void fail(int reason);

    std::string path_;
    int file_ = -1;
    std::uint64_t size_ = 0;
    int failure_ = 0;
};

struct Record {
    RecordType type{};
    std::uint64_t offset = 0;           ///< of its first byte in the file
    std::uint32_t n_to_come = 0;        ///< as append() was told
    std::span<const std::byte> payload; ///< valid until the next call
};

class JournalReader {
  public:
    /// Throws IoError, or FormatError when the file is no journal.
    explicit JournalReader(const std::string& path);
    ~JournalReader();
    JournalReader(const JournalReader&) = delete;
    JournalReader& operator=(const JournalReader&) = delete;

    /// The next whole record, nothing at the end or where the journal is damaged. Throws IoError.
    std::optional<Record> next();
    void rewind() noexcept;
    /// Does a living process hold it open for writing? Not where the file system has no locks.
    [[nodiscard]] bool is_being_written() const noexcept;

    /// Bytes after the last whole record (0: the journal ends cleanly). After next() gave nothing.
    [[nodiscard]] std::uint64_t n_bytes_damaged() const noexcept { return size_ - position_; }
    [[nodiscard]] Origin origin(const Record& record) const { return {path_, record.offset}; }

  private:
    bool read_at(std::uint64_t offset, std::span<std::byte> target);

    std::string path_;
    int file_ = -1;
    std::uint64_t size_ = 0;
    std::uint64_t position_ = 0;
    std::vector<std::byte> payload_;
};

} // namespace pillar::recording
