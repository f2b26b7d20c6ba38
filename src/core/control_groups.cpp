// /proc/self/cgroup says which group the process is in, /proc/self/mountinfo where that hierarchy
// is mounted. A container may see only a part of it: then the mount's own root is cut from the
// path, or only the mount point itself is left.

#include "pillar/core/control_groups.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

namespace pillar {

namespace {

namespace fs = std::filesystem;

struct Mount {
    std::string root;  ///< the part of the hierarchy that is mounted
    std::string point; ///< where
};

bool lists(std::string_view comma_separated, std::string_view word) {
    while (!comma_separated.empty()) {
        const auto comma = comma_separated.find(',');
        if (comma_separated.substr(0, comma) == word) return true;
        if (comma == std::string_view::npos) break;
        comma_separated.remove_prefix(comma + 1);
    }
    return false;
}

/// mountinfo writes a blank as \040.
std::string without_octal(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\' && i + 3 < text.size();
        unsigned code = 0;
        if (escape && std::from_chars(&text[i + 1], &text[i + 1] + 3, code, 8).ec == std::errc{}) {
            result += static_cast<char>(code);
            i += 3;
        } else {
            result += text[i];
        }
    }
    return result;
}

std::optional<Mount> find_mount(const fs::path& root, bool v2, std::string_view controller) {
    std::ifstream file(root / "proc/self/mountinfo");
    for (std::string line; std::getline(file, line);) {
        // id parent device root point options [tags] - type source super-options
        const auto dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        std::istringstream left(line.substr(0, dash));
        std::istringstream right(line.substr(dash + 3));
        std::string id, parent, device, mounted, point, type, source, options;
        left >> id >> parent >> device >> mounted >> point;
        right >> type >> source >> options;
        const bool wanted = v2 ? type == "cgroup2" : type == "cgroup" && lists(options, controller);
        if (wanted) return Mount{without_octal(mounted), without_octal(point)};
    }
    return std::nullopt;
}

/// The group's path below the mount point, "" for the mount point itself.
std::string path_below(const Mount& mount, const std::string& group) {
    if (group.find("/..") != std::string::npos) return ""; // outside what is mounted here
    if (mount.root == "/") return group;
    const bool inside = group.starts_with(mount.root) &&
                        (group.size() == mount.root.size() || group[mount.root.size()] == '/');
    return inside ? group.substr(mount.root.size()) : "";
}

std::vector<fs::path> folders_up(const fs::path& point, std::string below) {
    std::vector<fs::path> folders;
    while (true) {
        while (!below.empty() && below.back() == '/') below.pop_back();
        if (below.empty()) break;
        folders.push_back(point / below.substr(1));
        below.resize(below.rfind('/') + 1);
    }
    folders.push_back(point);
    return folders;
}

} // namespace

std::vector<ControlGroup> control_groups(std::string_view controller, const fs::path& root) {
    std::vector<ControlGroup> groups;
    std::ifstream file(root / "proc/self/cgroup");
    for (std::string line; std::getline(file, line);) { // number:controllers:path
        const auto first = line.find(':');
        const auto second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos || line.size() <= second + 1 || line[second + 1] != '/')
            continue;
        const std::string_view controllers =
            std::string_view(line).substr(first + 1, second - first - 1);
        const bool v2 = controllers.empty();
        if (!v2 && !lists(controllers, controller)) continue;
        const auto mount = find_mount(root, v2, controller);
        if (!mount || mount->point.empty() || mount->point.front() != '/') continue;
        const fs::path point = root / mount->point.substr(1);
        groups.push_back({v2, folders_up(point, path_below(*mount, line.substr(second + 1)))});
    }
    return groups;
}

std::optional<std::string> read_line(const fs::path& file) {
    std::ifstream stream(file);
    std::string line;
    if (!std::getline(stream, line)) return std::nullopt;
    // device-tree strings end in a zero byte
    while (!line.empty() && (line.back() == '\0' || line.back() == ' ' || line.back() == '\r'))
        line.pop_back();
    return line;
}

std::optional<long long> read_number(const fs::path& file) {
    const auto line = read_line(file);
    if (!line) return std::nullopt;
    long long value = 0;
    const auto result = std::from_chars(line->data(), line->data() + line->size(), value);
    if (result.ec != std::errc{}) return std::nullopt;
    return value;
}

} // namespace pillar
