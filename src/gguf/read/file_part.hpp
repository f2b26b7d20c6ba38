#pragma once
// One open GGUF file, of which a split model has several: its descriptor, its size and what its
// header says. Or none: a directory and a function that makes the tensors' bytes.

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <span>
#include <string>

namespace pillar::gguf {

class FilePart {
  public:
    /// Open for reading and parse the header, fetching no more of the file than that takes (at most
    /// twice). Throws FormatError or IoError (66 when it is no regular file; opening never waits,
    /// not for a pipe either).
    explicit FilePart(const std::filesystem::path& path);
    FilePart(std::string name, Directory directory, ReadTensor read);
    ~FilePart();
    FilePart(FilePart&& other) noexcept;
    FilePart& operator=(FilePart&&) = delete;

    /// Fill `out` from byte `begin` of the tensor on. Throws IoError (74).
    void read_tensor(const TensorInfo& tensor, std::uint64_t begin, std::span<std::byte> out) const;

    /// Throws IoError (74) when the file was written to since it was opened: its size or the time
    /// of its last change is another. Allocates nothing while it was not.
    void expect_unchanged() const;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

    Directory directory;

  private:
    /// From byte `begin` of the file on; errors name the tensor (nullptr: the header).
    void read(std::uint64_t begin, std::span<std::byte> out, const TensorInfo* tensor) const;

    std::string path_;
    int descriptor_ = -1;
    std::uint64_t size_bytes_ = 0;
    timespec changed_{}; ///< last change of the file's content when it was opened
    ReadTensor read_;    ///< instead of a descriptor
};

} // namespace pillar::gguf
