#pragma once
// What a machine's CPUs can do, by /proc and /sys: instructions that multiply int8, and how fast
// each CPU is beside the others (big and little cores). What a machine does not tell is absent,
// never an error. `root` stands for "/", so that tests can plant a tree.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::telemetry {

/// Of the names that /proc/cpuinfo has for instructions with which int8 are multiplied, those that
/// every CPU listed there has, the fastest first: avx512_vnni, avx_vnni, asimddp, avx2, asimd.
std::vector<std::string> product_instructions(const std::filesystem::path& root = "/");

struct CpuSpeed {
    int cpu = 0;
    double speed = 0; ///< in units that the CPUs of one machine share
};
/// Of the CPUs that are online, by number: the kernel's own measure (cpu_capacity, on ARM), else
/// the highest clock. Empty unless all tell.
std::vector<CpuSpeed> cpu_speeds(const std::filesystem::path& root = "/");

/// "0-3,8" of ascending numbers: as taskset and /sys write it.
std::string cpu_list(const std::vector<int>& cpus);

} // namespace pillar::telemetry
