#pragma once
// Where the kernel keeps this process's control groups (cgroup v1 and v2), which limit CPUs and
// memory in containers and batch systems. Who reads which limit is for threads and telemetry.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar {

/// One hierarchy: the folders from the process's own group up to the mount point. A folder may be
/// absent (not visible in a container); its limits are then unknown and its ancestors still count.
struct ControlGroup {
    bool is_v2 = false;
    std::vector<std::filesystem::path> folders;
};

/// The hierarchies that can limit `controller` ("cpu", "memory"): v1's own, v2's common one, both
/// on hybrid systems. `root` stands for "/" so that tests can plant a tree. Never throws on what
/// the files hold.
std::vector<ControlGroup> control_groups(std::string_view controller,
                                         const std::filesystem::path& root = "/");

/// First line of a small file such as those in /sys, without white space at its end; nothing if it
/// cannot be read.
std::optional<std::string> read_line(const std::filesystem::path& file);

/// A whole number at the start of the line; nothing if there is none ("max") or it does not fit.
std::optional<long long> read_number(const std::filesystem::path& file);

} // namespace pillar
