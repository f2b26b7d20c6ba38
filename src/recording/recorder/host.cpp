// This rank's machine, from telemetry, and the cores it is bound to.

#include "host.hpp"

#include "pillar/telemetry/host.hpp"
#include "pillar/telemetry/memory.hpp"

#include <fmt/core.h>
#include <limits>
#include <numeric>
#include <sched.h>

namespace pillar::recording {

namespace {

/// "0-3,6"; empty when the kernel does not tell.
std::string affinity_list() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return "";
    std::string list;
    for (int first = 0; first < CPU_SETSIZE; ++first) {
        if (!CPU_ISSET(first, &set)) continue;
        int last = first;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set)) ++last;
        list += list.empty() ? "" : ",";
        list += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
        first = last;
    }
    return list;
}

} // namespace

double mean_hz(const std::vector<double>& clocks_mhz) {
    if (clocks_mhz.empty()) return std::numeric_limits<double>::quiet_NaN();
    return std::accumulate(clocks_mhz.begin(), clocks_mhz.end(), 0.0) * 1e6 /
           static_cast<double>(clocks_mhz.size());
}

Host read_host(std::uint32_t n_threads) {
    const telemetry::HostInfo info = telemetry::read_host_info();
    const telemetry::Sensors sensors = telemetry::read_sensors();
    Host host;
    host.hostname = info.host_name;
    host.board = info.board_model;
    host.cpu = info.cpu_model;
    host.kernel = info.kernel;
    host.governor = info.governor;
    host.affinity = affinity_list();
    host.n_cores = static_cast<std::uint32_t>(info.n_cpus);
    host.n_threads = n_threads;
    host.clock_hz = mean_hz(sensors.clocks_mhz);
    host.temperature_c = sensors.temperature_c.value_or(std::numeric_limits<double>::quiet_NaN());
    host.throttled = sensors.throttled.value_or(0);
    host.memory_bytes = info.memory_bytes;
    host.memory_available_bytes = telemetry::read_available_memory().bytes;
    host.memory_peak_bytes = telemetry::read_process_memory().peak_resident_bytes;
    return host;
}

} // namespace pillar::recording
