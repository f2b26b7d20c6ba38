#pragma once
// A folder that stands for "/" in tests of code that reads /proc and /sys; removed at the end.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace pillar::support {

class PlantedTree {
  public:
    PlantedTree() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "pillar-tree-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("cannot make a temporary folder");
        root_ = pattern;
    }
    ~PlantedTree() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    PlantedTree(const PlantedTree&) = delete;
    PlantedTree& operator=(const PlantedTree&) = delete;

    /// Write `content` to root/path, with the folders on the way.
    void plant(const std::string& path, std::string_view content) const {
        const std::filesystem::path file = root_ / path;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << content;
    }
    [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

  private:
    std::filesystem::path root_;
};

} // namespace pillar::support
