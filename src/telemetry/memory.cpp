// One limit after the other; the smallest one wins and gives its name.

#include "pillar/telemetry/memory.hpp"

#include "key_values.hpp"

#include "pillar/core/control_groups.hpp"
#include "pillar/core/sizes.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <sys/stat.h>
#include <utility>

namespace pillar::telemetry {

namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> kib_of(const fs::path& file, std::string_view key) {
    const auto kib = number_of(file, key);
    return kib ? checked_mul<std::uint64_t>(*kib, 1024) : std::nullopt;
}

std::optional<std::uint64_t> bytes_in(const fs::path& file) {
    const auto number = read_number(file);
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

/// Device and inode: the same for all processes, wherever the hierarchy is mounted for them.
std::string identity_of(const fs::path& folder) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) return folder.string();
    return fmt::format("group {}:{}", status.st_dev, status.st_ino);
}

/// Limit − usage + inactive file pages of one folder.
void add_group(std::vector<MemoryLimit>& limits, const fs::path& folder, bool is_v2,
               const fs::path& root) {
    const auto hard = bytes_in(folder / (is_v2 ? "memory.max" : "memory.limit_in_bytes"));
    // v2 slows a group down above its soft border until it crawls: a limit too
    const auto soft = is_v2 ? bytes_in(folder / "memory.high") : std::nullopt;
    if (!hard && !soft) return;
    constexpr auto none = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t limit = std::min(hard.value_or(none), soft.value_or(none));
    const std::uint64_t usage =
        bytes_in(folder / (is_v2 ? "memory.current" : "memory.usage_in_bytes")).value_or(0);
    const std::uint64_t inactive =
        number_of(folder / "memory.stat", is_v2 ? "inactive_file" : "total_inactive_file")
            .value_or(0);
    const std::uint64_t used = usage - std::min(usage, inactive);
    const fs::path shown = fs::path("/") / folder.lexically_relative(root);
    limits.push_back(
        {limit - std::min(limit, used), "control group " + shown.string(), identity_of(folder)});
}

/// "Max address space        8589934592      unlimited      bytes": the first is in force.
void add_address_space(std::vector<MemoryLimit>& limits, const fs::path& root) {
    const auto limit = number_of(root / "proc/self/limits", "Max address space");
    if (!limit) return;
    const std::uint64_t mapped = read_process_memory(root).virtual_bytes;
    limits.push_back({*limit - std::min(*limit, mapped), "address-space limit (ulimit -v)", ""});
}

} // namespace

std::vector<MemoryLimit> read_memory_limits(const fs::path& root) {
    std::vector<MemoryLimit> limits;
    if (const auto free = kib_of(root / "proc/meminfo", "MemAvailable"))
        limits.push_back({*free, "free memory of the host", "host"});
    add_address_space(limits, root);
    for (const ControlGroup& group : control_groups("memory", root))
        for (const auto& folder : group.folders) add_group(limits, folder, group.is_v2, root);
    return limits;
}

AvailableMemory nothing_known() {
    return {std::numeric_limits<std::uint64_t>::max(), "nothing known"};
}

AvailableMemory read_available_memory(const fs::path& root) {
    AvailableMemory available = nothing_known();
    for (MemoryLimit& limit : read_memory_limits(root))
        if (limit.bytes < available.bytes) available = {limit.bytes, std::move(limit.limited_by)};
    return available;
}

ProcessMemory read_process_memory(const fs::path& root) {
    const fs::path status = root / "proc/self/status";
    return {.resident_bytes = kib_of(status, "VmRSS").value_or(0),
            .peak_resident_bytes = kib_of(status, "VmHWM").value_or(0),
            .virtual_bytes = kib_of(status, "VmSize").value_or(0)};
}

} // namespace pillar::telemetry
