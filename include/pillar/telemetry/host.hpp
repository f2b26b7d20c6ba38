#pragma once
// What this machine is and how it fares: board, processor, clocks, temperature, throttling, network
// links; all from /sys and /proc, without privileges. What a machine does not tell is absent, never
// an error. `root` stands for "/", so that tests can plant a tree.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pillar::telemetry {

struct NetworkLink {
    std::string name;                    ///< e.g. eth0
    std::string state;                   ///< up, down, unknown
    std::optional<int> speed_mbit_per_s; ///< absent for links without one (Wi-Fi, bridges, down)
    bool operator==(const NetworkLink&) const = default;
};

/// What does not change during a run.
struct HostInfo {
    std::string host_name;
    std::string kernel;      ///< e.g. 6.1.0-rpi7-rpi-v8
    std::string board_model; ///< device tree's model, or vendor and product of a PC's firmware
    std::string cpu_model;   ///< e.g. Cortex-A72
    int n_cpus = 0;          ///< online
    std::uint64_t memory_bytes = 0;
    std::string governor; ///< of cpufreq; several are joined with ", "
    std::optional<double> max_clock_mhz;
    std::vector<NetworkLink> links; ///< without loopback, by name
};

/// What changes while running; a few small files, some 0.1 ms.
struct Sensors {
    std::vector<double>
        clocks_mhz; ///< by CPU number; the firmware of a Pi may run lower than this says
    std::optional<double> temperature_c;
    std::optional<std::uint32_t> throttled; ///< Raspberry Pi's get_throttled bits
};

/// Bits of Sensors::throttled, "now"; the same 16 places higher: "has happened since boot".
enum ThrottleBit : std::uint32_t {
    under_voltage = 1u << 0,
    clock_capped = 1u << 1,
    clock_throttled = 1u << 2,
    soft_temperature_limit = 1u << 3,
};

HostInfo read_host_info(const std::filesystem::path& root = "/");
Sensors read_sensors(const std::filesystem::path& root = "/");

/// E.g. "under-voltage now, clock throttled since boot"; "" for 0.
std::string describe_throttling(std::uint32_t bits);

} // namespace pillar::telemetry
