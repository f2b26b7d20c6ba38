#pragma once
// Network interfaces: what /sys tells of each, and two settings that only the driver knows. What a
// machine does not tell is absent, never an error. `root` stands for "/", so that tests can plant a
// tree.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pillar::telemetry {

struct Interface {
    std::string name;                    ///< e.g. eth0; "lo" too
    std::string state;                   ///< up, down, unknown
    std::optional<int> speed_mbit_per_s; ///< absent for links without one (Wi-Fi, bridges, down)
    std::string duplex;                  ///< full, half, "" where it is not told
    bool is_wireless = false;
    std::uint64_t sent_bytes = 0; ///< since it is up, with the headers of the link
};

/// By name.
std::vector<Interface> read_interfaces(const std::filesystem::path& root = "/");

/// What the driver is asked for (ETHTOOL_GEEE, ETHTOOL_GCOALESCE); absent where it does not know
/// the question.
struct EthernetSettings {
    std::optional<bool> energy_efficient; ///< IEEE 802.3az is enabled
    std::optional<int> receive_delay_us;  ///< rx-usecs: how long it gathers packets
};
EthernetSettings read_ethernet_settings(const std::string& interface);

} // namespace pillar::telemetry
