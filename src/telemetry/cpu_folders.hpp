#pragma once
// /sys/devices/system/cpu/cpuN of the CPUs that are online.

#include <filesystem>
#include <vector>

namespace pillar::telemetry {

/// By CPU number.
std::vector<std::filesystem::path> cpu_folders(const std::filesystem::path& root);

} // namespace pillar::telemetry
