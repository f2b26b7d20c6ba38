#pragma once
// How much memory there is to have here, before anything is allocated, and how much this process
// holds. `root` stands for "/", so that tests can plant a tree.

#include <cstdint>
#include <filesystem>
#include <string>

namespace pillar::telemetry {

struct AvailableMemory {
    std::uint64_t bytes = 0;
    std::string limited_by; ///< for a sentence: "free memory of the host", "control group
                            ///< /sys/fs/cgroup/job_7" …
};

/// The smallest of: MemAvailable; the address-space limit less what is mapped; for each control
/// group (v1 and v2, every ancestor) limit − usage + inactive file pages. Swap is not counted.
/// Nothing readable: 2^64 − 1, limited by "nothing known". One host's figure: ranks there share it,
/// but for the address space.
AvailableMemory read_available_memory(const std::filesystem::path& root = "/");

struct ProcessMemory {
    std::uint64_t resident_bytes = 0;
    std::uint64_t peak_resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
};

/// Of this process; zeros where the kernel does not tell.
ProcessMemory read_process_memory(const std::filesystem::path& root = "/");

} // namespace pillar::telemetry
