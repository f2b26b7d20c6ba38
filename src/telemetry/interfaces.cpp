#include "pillar/telemetry/interfaces.hpp"

#include "pillar/core/control_groups.hpp"

#include <algorithm>
#include <cstring>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pillar::telemetry {

namespace fs = std::filesystem;

std::vector<Interface> read_interfaces(const fs::path& root) {
    std::vector<Interface> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root / "sys/class/net", none)) {
        const fs::path& folder = entry.path();
        if (!fs::is_directory(folder, none)) continue; // bonding_masters
        Interface interface;
        interface.name = folder.filename().string();
        interface.state = read_line(folder / "operstate").value_or("unknown");
        const auto speed = read_number(folder / "speed"); // -1 or an error without a link
        if (speed && *speed > 0 && *speed < 10'000'000)
            interface.speed_mbit_per_s = static_cast<int>(*speed);
        interface.duplex = read_line(folder / "duplex").value_or("");
        if (interface.duplex == "unknown") interface.duplex.clear();
        interface.is_wireless =
            fs::exists(folder / "wireless", none) || fs::exists(folder / "phy80211", none);
        interface.sent_bytes = static_cast<std::uint64_t>(
            std::max(read_number(folder / "statistics/tx_bytes").value_or(0), 0LL));
        found.push_back(std::move(interface));
    }
    std::ranges::sort(found, {}, &Interface::name);
    return found;
}

namespace {

/// Fill in `command`'s structure by asking the driver of `interface`.
bool ask_driver(const std::string& interface, void* command) {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = static_cast<char*>(command);
    const bool answered = ::ioctl(socket, SIOCETHTOOL, &request) == 0;
    ::close(socket);
    return answered;
}

} // namespace

EthernetSettings read_ethernet_settings(const std::string& interface) {
    EthernetSettings settings;
    if (interface.size() >= IFNAMSIZ) return settings;
    ethtool_eee eee{};
    eee.cmd = ETHTOOL_GEEE;
    if (ask_driver(interface, &eee)) settings.energy_efficient = eee.eee_enabled != 0;
    ethtool_coalesce coalesce{};
    coalesce.cmd = ETHTOOL_GCOALESCE;
    if (ask_driver(interface, &coalesce))
        settings.receive_delay_us = static_cast<int>(coalesce.rx_coalesce_usecs);
    return settings;
}

} // namespace pillar::telemetry
