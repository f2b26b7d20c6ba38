// The kernel's names: arch/arm64/kernel/cpuinfo.c, arch/x86/include/asm/cpufeatures.h;
// cpu_capacity: Documentation/devicetree/bindings/cpu/cpu-capacity.txt (1024 for the fastest).

#include "pillar/telemetry/processor.hpp"

#include "cpu_folders.hpp"

#include "pillar/core/control_groups.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

namespace pillar::telemetry {

namespace {

constexpr std::array<std::string_view, 5> product_names = {"avx512_vnni", "avx_vnni", "asimddp",
                                                           "avx2", "asimd"};

/// Of one CPU's line "flags : …" or "Features : …".
std::vector<std::string> names_in(const std::string& line) {
    std::istringstream words(line.substr(line.find(':') + 1));
    const std::vector<std::string> all{std::istream_iterator<std::string>(words), {}};
    std::vector<std::string> names;
    for (const std::string_view name : product_names)
        if (std::ranges::find(all, name) != all.end()) names.emplace_back(name);
    return names;
}

/// One source for all CPUs: numbers of two kinds cannot be compared.
std::vector<CpuSpeed> speeds_by(const std::filesystem::path& root, std::string_view file) {
    std::vector<CpuSpeed> speeds;
    for (const std::filesystem::path& folder : cpu_folders(root)) {
        const auto value = read_number(folder / file);
        if (!value || *value <= 0) return {};
        const std::string name = folder.filename().string();
        speeds.push_back({std::atoi(name.c_str() + 3), static_cast<double>(*value)});
    }
    return speeds;
}

} // namespace

std::vector<std::string> product_instructions(const std::filesystem::path& root) {
    std::ifstream file(root / "proc/cpuinfo");
    std::optional<std::vector<std::string>> common;
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
        const std::vector<std::string> names = names_in(line);
        if (!common) common = names;
        std::erase_if(*common, [&](const std::string& name) {
            return std::ranges::find(names, name) == names.end();
        });
    }
    return common.value_or(std::vector<std::string>());
}

std::vector<CpuSpeed> cpu_speeds(const std::filesystem::path& root) {
    std::vector<CpuSpeed> speeds = speeds_by(root, "cpu_capacity");
    return speeds.empty() ? speeds_by(root, "cpufreq/cpuinfo_max_freq") : speeds;
}

std::string cpu_list(const std::vector<int>& cpus) {
    std::string text;
    for (std::size_t i = 0; i < cpus.size();) {
        std::size_t last = i;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
        text += (text.empty() ? "" : ",") + std::to_string(cpus[i]);
        if (last > i) text += "-" + std::to_string(cpus[last]);
        i = last + 1;
    }
    return text;
}

} // namespace pillar::telemetry
