#pragma once
// Who else was at work: what each process used of each CPU between two moments, by
// /proc/PID/task/TID/stat. A process that came and went in between is not seen. `root` stands for
// "/", so that tests can plant a tree.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace pillar::telemetry {

/// One thread at one moment.
struct TaskTime {
    std::int64_t process = 0;
    std::string name; ///< of the process
    double busy_s = 0;
    int cpu = 0; ///< where it ran last
};
/// By thread number. Empty where the kernel does not tell.
using TaskTimes = std::map<std::int64_t, TaskTime>;
TaskTimes read_task_times(const std::filesystem::path& root = "/");

struct CpuPart {
    int cpu = 0;
    double share = 0; ///< of the time between
};
struct ProcessUse {
    std::int64_t process = 0;
    std::string name;
    double cpus = 0;            ///< that it kept busy, in the mean
    std::vector<CpuPart> parts; ///< by CPU, as its threads ran there last
};

/// Those that kept `least` CPUs busy or more, the busiest first, in `seconds` between the two.
std::vector<ProcessUse> busy_processes(const TaskTimes& before, const TaskTimes& after,
                                       double seconds, double least);

} // namespace pillar::telemetry
