#pragma once
// One open GGUF file, of which a split model has several: its descriptor, its size and what its
// header says.

#include "pillar/gguf/file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace pillar::gguf {

class Part {
  public:
    /// Open for reading and parse the header, fetching no more of the file than that takes (at most
    /// twice). Throws FormatError or IoError (66 when it is no regular file; opening never waits,
    /// not for a pipe either).
    explicit Part(const std::filesystem::path& path);
    ~Part();
    Part(Part&& other) noexcept;
    Part& operator=(Part&&) = delete;

    /// Fill `out` from byte `begin` of the file on. Throws IoError (74), naming the tensor
    /// (nullptr: the header).
    void read(std::uint64_t begin, std::span<std::byte> out, const TensorInfo* tensor) const;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

    Directory directory;

  private:
    std::string path_;
    int descriptor_ = -1;
    std::uint64_t size_bytes_ = 0;
};

} // namespace pillar::gguf
