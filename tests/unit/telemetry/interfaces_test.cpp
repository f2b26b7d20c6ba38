// Planted interfaces: wired, wireless, down, and what only looks like one.

#include "pillar/telemetry/interfaces.hpp"

#include "support/planted_tree.hpp"

#include <gtest/gtest.h>

namespace pillar::telemetry {
namespace {

TEST(interfaces, are_read_from_sys) {
    const support::PlantedTree tree;
    const std::string net = "sys/class/net/";
    tree.plant(net + "eth0/operstate", "up\n");
    tree.plant(net + "eth0/speed", "100\n");
    tree.plant(net + "eth0/duplex", "half\n");
    tree.plant(net + "eth0/statistics/tx_bytes", "123456789012\n");
    tree.plant(net + "wlan0/operstate", "up\n");
    tree.plant(net + "wlan0/phy80211/name", "phy0\n");
    tree.plant(net + "eth1/operstate", "down\n");
    tree.plant(net + "eth1/speed", "-1\n");
    tree.plant(net + "eth1/duplex", "unknown\n");
    tree.plant(net + "lo/operstate", "unknown\n");
    tree.plant(net + "bonding_masters", "\n");
    const std::vector<Interface> found = read_interfaces(tree.root());
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(found[0].name, "eth0");
    EXPECT_EQ(found[0].state, "up");
    EXPECT_EQ(found[0].speed_mbit_per_s, 100);
    EXPECT_EQ(found[0].duplex, "half");
    EXPECT_FALSE(found[0].is_wireless);
    EXPECT_EQ(found[0].sent_bytes, 123456789012u);
    EXPECT_EQ(found[1].name, "eth1");
    EXPECT_EQ(found[1].speed_mbit_per_s, std::nullopt);
    EXPECT_EQ(found[1].duplex, "");
    EXPECT_EQ(found[2].name, "lo");
    EXPECT_TRUE(found[3].is_wireless);
    EXPECT_EQ(found[3].sent_bytes, 0u);
}

TEST(interfaces, are_none_where_sys_is_not) {
    const support::PlantedTree tree;
    EXPECT_TRUE(read_interfaces(tree.root()).empty());
}

TEST(ethernet_settings, are_absent_where_the_driver_has_none) {
    for (const std::string name : {"lo", "no_such_thing", "a_name_longer_than_any_interface"}) {
        const EthernetSettings settings = read_ethernet_settings(name);
        EXPECT_EQ(settings.energy_efficient, std::nullopt) << name;
        EXPECT_EQ(settings.receive_delay_us, std::nullopt) << name;
    }
}

} // namespace
} // namespace pillar::telemetry
