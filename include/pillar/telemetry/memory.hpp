#pragma once
// How much memory there is to have here, before anything is allocated, and how much this process
// holds. `root` stands for "/", so that tests can plant a tree.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pillar::telemetry {

/// One thing that limits how much memory this process can have.
struct MemoryLimit {
    std::uint64_t bytes = 0;  ///< that are left of it
    std::string limited_by;   ///< as AvailableMemory's
    std::string shared_under; ///< the same text for all processes of one kernel that share it;
                              ///< empty: this one alone
};

/// MemAvailable; the address-space limit less what is mapped; for each control group (v1 and v2,
/// every ancestor) limit − usage + inactive file pages. Swap is not counted.
std::vector<MemoryLimit> read_memory_limits(const std::filesystem::path& root = "/");

struct AvailableMemory {
    std::uint64_t bytes = 0;
    std::string limited_by; ///< for a sentence: "free memory of the host", "control group
                            ///< /sys/fs/cgroup/job_7" …
};

/// Where no limit can be read: 2^64 − 1, limited by "nothing known".
AvailableMemory nothing_known();

/// The smallest of the limits, or nothing_known().
AvailableMemory read_available_memory(const std::filesystem::path& root = "/");

struct ProcessMemory {
    std::uint64_t resident_bytes = 0;
    std::uint64_t peak_resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
};

/// Of this process; zeros where the kernel does not tell.
ProcessMemory read_process_memory(const std::filesystem::path& root = "/");

} // namespace pillar::telemetry
