// A CPU that can be switched off has a file "online"; one that cannot (cpu0 of many machines) has
// none.

#include "cpu_folders.hpp"

#include "pillar/core/control_groups.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace pillar::telemetry {

std::vector<std::filesystem::path> cpu_folders(const std::filesystem::path& root) {
    std::vector<std::pair<int, std::filesystem::path>> numbered;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::directory_iterator(root / "sys/devices/system/cpu", none)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with("cpu")) continue;
        int number = 0;
        const char* const end = name.data() + name.size();
        const auto result = std::from_chars(name.data() + 3, end, number);
        if (result.ec != std::errc{} || result.ptr != end) continue; // cpufreq, cpuidle
        if (read_number(entry.path() / "online").value_or(1) != 0)
            numbered.emplace_back(number, entry.path());
    }
    std::sort(numbered.begin(), numbered.end());
    std::vector<std::filesystem::path> folders;
    for (auto& [number, path] : numbered) folders.push_back(std::move(path));
    return folders;
}

} // namespace pillar::telemetry
