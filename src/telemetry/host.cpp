// The machine's own description. Device tree on boards, DMI on PCs.

#include "pillar/telemetry/host.hpp"

#include "cpu_folders.hpp"
#include "key_values.hpp"

#include "pillar/core/control_groups.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pillar::telemetry {

namespace {

namespace fs = std::filesystem;

std::string board_model(const fs::path& root) {
    if (const auto model = read_line(root / "proc/device-tree/model")) return *model;
    if (const auto model = read_line(root / "sys/firmware/devicetree/base/model")) return *model;
    const auto vendor = read_line(root / "sys/class/dmi/id/sys_vendor").value_or("");
    const auto product = read_line(root / "sys/class/dmi/id/product_name").value_or("");
    return vendor.empty() || product.empty() ? vendor + product : vendor + " " + product;
}

/// ARM's part numbers of the cores in likely boards (Arm's Main ID Register descriptions).
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> arm_parts{
    {{"0xd03", "Cortex-A53"},
     {"0xd04", "Cortex-A35"},
     {"0xd05", "Cortex-A55"},
     {"0xd07", "Cortex-A57"},
     {"0xd08", "Cortex-A72"},
     {"0xd0a", "Cortex-A75"},
     {"0xd0b", "Cortex-A76"},
     {"0xd0c", "Neoverse-N1"}}};

std::string cpu_model(const fs::path& root) {
    const fs::path cpuinfo = root / "proc/cpuinfo";
    if (const auto name = value_of(cpuinfo, "model name")) return *name;
    const auto part = value_of(cpuinfo, "CPU part");
    if (!part) return "";
    for (const auto& [number, name] : arm_parts)
        if (*part == number) return std::string(name);
    return "ARM part " + *part;
}

std::string governors(const fs::path& root) {
    std::vector<std::string> seen;
    std::string joined;
    for (const fs::path& cpu : cpu_folders(root)) {
        const auto governor = read_line(cpu / "cpufreq/scaling_governor");
        if (!governor || std::find(seen.begin(), seen.end(), *governor) != seen.end()) continue;
        joined += (seen.empty() ? "" : ", ") + *governor;
        seen.push_back(*governor);
    }
    return joined;
}

std::optional<double> max_clock_mhz(const fs::path& root) {
    std::optional<double> highest;
    for (const fs::path& cpu : cpu_folders(root)) {
        const auto khz = read_number(cpu / "cpufreq/cpuinfo_max_freq");
        if (khz && *khz > 0)
            highest = std::max(highest.value_or(0.0), static_cast<double>(*khz) * 1e-3);
    }
    return highest;
}

std::vector<NetworkLink> links(const fs::path& root) {
    std::vector<NetworkLink> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root / "sys/class/net", none)) {
        NetworkLink link{.name = entry.path().filename().string(),
                         .state = read_line(entry.path() / "operstate").value_or("unknown"),
                         .speed_mbit_per_s = std::nullopt};
        if (link.name == "lo" || !fs::is_directory(entry.path(), none)) continue;
        const auto speed = read_number(entry.path() / "speed");
        if (speed && *speed > 0 && *speed < 10'000'000)
            link.speed_mbit_per_s = static_cast<int>(*speed);
        found.push_back(std::move(link));
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return found;
}

} // namespace

HostInfo read_host_info(const fs::path& root) {
    HostInfo info;
    info.host_name = read_line(root / "proc/sys/kernel/hostname").value_or("");
    info.kernel = read_line(root / "proc/sys/kernel/osrelease").value_or("");
    info.board_model = board_model(root);
    info.cpu_model = cpu_model(root);
    info.n_cpus = static_cast<int>(cpu_folders(root).size());
    info.memory_bytes = 1024 * number_of(root / "proc/meminfo", "MemTotal").value_or(0);
    info.governor = governors(root);
    info.max_clock_mhz = max_clock_mhz(root);
    info.links = links(root);
    return info;
}

} // namespace pillar::telemetry
