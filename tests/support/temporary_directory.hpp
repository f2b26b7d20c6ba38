#pragma once
// A directory of its own for a test, in memory where there is such a place, removed with everything
// in it at the end.

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <unistd.h>

namespace pillar::support {

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        const std::filesystem::path in_memory = "/dev/shm";
        const auto parent = ::access(in_memory.c_str(), W_OK) == 0
                                ? in_memory
                                : std::filesystem::temp_directory_path();
        std::string name = (parent / "pillar-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
        path_ = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    /// Path of a file in it.
    [[nodiscard]] std::string file(const std::string& name) const {
        return (path_ / name).string();
    }

    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

} // namespace pillar::support
