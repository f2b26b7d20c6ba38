// Planted machines: a Raspberry Pi 4, a PC, one that tells nothing.

#include "pillar/telemetry/host.hpp"

#include "support/planted_tree.hpp"

#include <gtest/gtest.h>

namespace pillar::telemetry {
namespace {

using support::PlantedTree;

void plant_pi4(const PlantedTree& tree) {
    tree.plant("proc/device-tree/model", std::string_view("Raspberry Pi 4 Model B Rev 1.4\0", 31));
    tree.plant("proc/sys/kernel/hostname", "pi4-2\n");
    tree.plant("proc/sys/kernel/osrelease", "6.1.0-rpi7-rpi-v8\n");
    tree.plant("proc/cpuinfo",
               "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\n"
               "CPU part\t: 0xd08\nCPU revision\t: 3\n\nModel\t\t: Raspberry Pi 4\n");
    tree.plant("proc/meminfo", "MemTotal:        7999000 kB\nMemFree:         100 kB\n");
    for (const std::string cpu : {"cpu0", "cpu1", "cpu2", "cpu3"}) {
        const std::string folder = "sys/devices/system/cpu/" + cpu + "/cpufreq/";
        tree.plant(folder + "scaling_governor", "ondemand\n");
        tree.plant(folder + "cpuinfo_max_freq", "1800000\n");
        tree.plant(folder + "scaling_cur_freq", cpu == "cpu3" ? "600000\n" : "1500345\n");
    }
    tree.plant("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "ondemand\n");
    tree.plant("sys/devices/system/cpu/online", "0-3\n");
    tree.plant("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
    tree.plant("sys/class/thermal/thermal_zone0/temp", "48686\n");
    tree.plant("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
    tree.plant("sys/class/net/lo/operstate", "unknown\n");
    tree.plant("sys/class/net/eth0/operstate", "up\n");
    tree.plant("sys/class/net/eth0/speed", "1000\n");
    tree.plant("sys/class/net/wlan0/operstate", "down\n");
    tree.plant("sys/class/net/bonding_masters", "\n");
}

TEST(host_info, of_a_pi_4) {
    const PlantedTree tree;
    plant_pi4(tree);
    const HostInfo info = read_host_info(tree.root());
    EXPECT_EQ(info.host_name, "pi4-2");
    EXPECT_EQ(info.kernel, "6.1.0-rpi7-rpi-v8");
    EXPECT_EQ(info.board_model, "Raspberry Pi 4 Model B Rev 1.4");
    EXPECT_EQ(info.cpu_model, "Cortex-A72");
    EXPECT_EQ(info.n_cpus, 4);
    EXPECT_EQ(info.memory_bytes, 7999000ull * 1024);
    EXPECT_EQ(info.governor, "ondemand");
    EXPECT_EQ(info.max_clock_mhz, 1800.0);
    EXPECT_EQ(info.links,
              (std::vector<NetworkLink>{{"eth0", "up", 1000}, {"wlan0", "down", std::nullopt}}));
}

TEST(sensors, of_a_pi_4) {
    const PlantedTree tree;
    plant_pi4(tree);
    const Sensors sensors = read_sensors(tree.root());
    ASSERT_EQ(sensors.clocks_mhz.size(), 4u);
    EXPECT_DOUBLE_EQ(sensors.clocks_mhz[0], 1500.345);
    EXPECT_DOUBLE_EQ(sensors.clocks_mhz[3], 600.0);
    ASSERT_TRUE(sensors.temperature_c);
    EXPECT_NEAR(*sensors.temperature_c, 48.686, 1e-9);
    EXPECT_EQ(sensors.throttled, 0x50005u);
}

TEST(sensors, without_the_firmware_driver_use_the_voltage_alarm) {
    const PlantedTree tree;
    tree.plant("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
    tree.plant("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
    EXPECT_EQ(read_sensors(tree.root()).throttled, std::nullopt);
    tree.plant("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
    EXPECT_EQ(read_sensors(tree.root()).throttled, 0u);
    tree.plant("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
    EXPECT_EQ(read_sensors(tree.root()).throttled, 0x10000u);
    tree.plant("sys/devices/platform/soc/soc:firmware/get_throttled", "0x0\n");
    EXPECT_EQ(read_sensors(tree.root()).throttled, 0u);
}

TEST(host_info, of_a_pc) {
    const PlantedTree tree;
    tree.plant("sys/class/dmi/id/sys_vendor", "ACME\n");
    tree.plant("sys/class/dmi/id/product_name", "Mini 3000\n");
    tree.plant("proc/cpuinfo",
               "processor\t: 0\nmodel name\t: Intel(R) N100\ncpu MHz\t\t: 806.400\n\n"
               "processor\t: 1\nmodel name\t: Intel(R) N100\ncpu MHz\t\t: 3400.0\n");
    tree.plant("sys/devices/system/cpu/cpu0/topology/core_id", "0\n");
    tree.plant("sys/devices/system/cpu/cpu1/online", "1\n");
    tree.plant("sys/devices/system/cpu/cpu2/online", "0\n");
    tree.plant("sys/class/thermal/thermal_zone0/type", "acpitz\n");
    tree.plant("sys/class/thermal/thermal_zone0/temp", "27800\n");
    tree.plant("sys/class/thermal/thermal_zone7/type", "x86_pkg_temp\n");
    tree.plant("sys/class/thermal/thermal_zone7/temp", "61000\n");
    tree.plant("sys/class/net/enp1s0/speed", "-1\n");
    const HostInfo info = read_host_info(tree.root());
    EXPECT_EQ(info.board_model, "ACME Mini 3000");
    EXPECT_EQ(info.cpu_model, "Intel(R) N100");
    EXPECT_EQ(info.n_cpus, 2);
    EXPECT_EQ(info.governor, "");
    EXPECT_EQ(info.max_clock_mhz, std::nullopt);
    EXPECT_EQ(info.links, (std::vector<NetworkLink>{{"enp1s0", "unknown", std::nullopt}}));
    const Sensors sensors = read_sensors(tree.root());
    EXPECT_EQ(sensors.clocks_mhz, (std::vector<double>{806.4, 3400.0}));
    EXPECT_EQ(sensors.temperature_c, 61.0);
    EXPECT_EQ(sensors.throttled, std::nullopt);
}

TEST(host_info, of_a_machine_that_tells_nothing_or_nonsense) {
    const PlantedTree tree;
    EXPECT_EQ(read_host_info(tree.root()).n_cpus, 0);
    EXPECT_TRUE(read_sensors(tree.root()).clocks_mhz.empty());
    tree.plant("sys/devices/platform/soc/soc:firmware/get_throttled", "what\n");
    tree.plant("sys/class/thermal/thermal_zone0/temp", "\n");
    tree.plant("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n");
    tree.plant("proc/cpuinfo", "cpu MHz\t: fast\nCPU part\t: 0xfff\n");
    tree.plant("proc/meminfo", "MemTotal:\n");
    EXPECT_EQ(read_host_info(tree.root()).cpu_model, "ARM part 0xfff");
    EXPECT_EQ(read_host_info(tree.root()).memory_bytes, 0u);
    const Sensors sensors = read_sensors(tree.root());
    EXPECT_TRUE(sensors.clocks_mhz.empty());
    EXPECT_EQ(sensors.temperature_c, std::nullopt);
    EXPECT_EQ(sensors.throttled, std::nullopt);
}

TEST(host_info, mixed_governors_are_all_named) {
    const PlantedTree tree;
    tree.plant("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    tree.plant("sys/devices/system/cpu/cpu10/cpufreq/scaling_governor", "performance\n");
    tree.plant("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n");
    EXPECT_EQ(read_host_info(tree.root()).governor, "powersave, performance");
}

TEST(host_info, of_this_machine_can_be_read) {
    EXPECT_GE(read_host_info().n_cpus, 1);
    EXPECT_GT(read_host_info().memory_bytes, 0u);
    EXPECT_FALSE(read_host_info().host_name.empty());
    (void)read_sensors();
}

TEST(throttling, is_described_now_before_since_boot) {
    EXPECT_EQ(describe_throttling(0), "");
    EXPECT_EQ(describe_throttling(0x50005), "under-voltage now, clock throttled now");
    EXPECT_EQ(describe_throttling(0x80002), "clock capped now, soft temperature limit since boot");
    EXPECT_EQ(describe_throttling(0x20000), "clock capped since boot");
}

} // namespace
} // namespace pillar::telemetry
