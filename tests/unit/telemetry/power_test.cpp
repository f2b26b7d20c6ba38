// Power and supply: a board with an INA219, a Raspberry Pi 5's power chip, machines that measure
// something else.

#include "pillar/telemetry/power.hpp"

#include "support/planted_tree.hpp"

#include <gtest/gtest.h>

namespace pillar::telemetry {
namespace {

using support::PlantedTree;

TEST(power, of_an_ina219_is_in_microwatts_and_millivolts) {
    const PlantedTree tree;
    tree.plant("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
    tree.plant("sys/class/hwmon/hwmon2/name", "ina219\n");
    tree.plant("sys/class/hwmon/hwmon2/power1_input", "5230000\n");
    tree.plant("sys/class/hwmon/hwmon2/in0_input", "31\n"); // the shunt
    tree.plant("sys/class/hwmon/hwmon2/in1_input", "5104\n");
    const PowerMeter meter(tree.root());
    EXPECT_DOUBLE_EQ(meter.read().watts.value(), 5.23);
    EXPECT_DOUBLE_EQ(meter.read().supply_v.value(), 5.104);
    tree.plant("sys/class/hwmon/hwmon2/power1_input", "7000000\n");
    EXPECT_DOUBLE_EQ(meter.read().watts.value(), 7.0); // read anew
}

TEST(power, of_several_monitors_is_that_of_the_first) {
    const PlantedTree tree;
    tree.plant("sys/class/hwmon/hwmon10/name", "ina226\n");
    tree.plant("sys/class/hwmon/hwmon10/power1_input", "1000000\n");
    tree.plant("sys/class/hwmon/hwmon9/name", "power_meter\n");
    tree.plant("sys/class/hwmon/hwmon9/power1_average", "31000000\n");
    EXPECT_DOUBLE_EQ(PowerMeter(tree.root()).read().watts.value(), 31.0);
}

TEST(power, of_a_graphics_card_or_a_battery_is_not_the_boards) {
    const PlantedTree tree;
    tree.plant("sys/class/hwmon/hwmon0/name", "amdgpu\n");
    tree.plant("sys/class/hwmon/hwmon0/power1_input", "90000000\n");
    tree.plant("sys/class/hwmon/hwmon1/name", "BAT0\n");
    tree.plant("sys/class/hwmon/hwmon1/in1_input", "11000\n");
    const Power power = PowerMeter(tree.root()).read();
    EXPECT_FALSE(power.watts);
    EXPECT_FALSE(power.supply_v);
    const PlantedTree nothing;
    EXPECT_FALSE(PowerMeter(nothing.root()).read().watts);
}

// As the command prints it on a Raspberry Pi 5, shortened.
TEST(power, of_a_pi_5_is_the_sum_over_its_rails) {
    const Power power = power_of_pmic("   3V3_SYS_A current(2)=0.06049602A\n"
                                      "  VDD_CORE_A current(7)=2.65960000A\n"
                                      "     3V3_SYS_V volt(10)=3.31031700V\n"
                                      "    VDD_CORE_V volt(15)=0.72070310V\n"
                                      "      HDMI_V volt(23)=5.12000000V\n"
                                      "       EXT5V_V volt(24)=5.15496000V\n"
                                      "        BATT_V volt(25)=0.00000000V\n");
    EXPECT_NEAR(power.watts.value(), 0.06049602 * 3.310317 + 2.6596 * 0.7207031, 1e-9);
    EXPECT_DOUBLE_EQ(power.supply_v.value(), 5.15496);
}

TEST(power, is_not_made_up_of_an_answer_that_is_none) {
    for (const char* answer : {"", "error=2 error_msg=\"Invalid arguments\"", "_A =\nX_A=\nX_V=1V",
                               "current(2)=0.06A\n"}) {
        EXPECT_FALSE(power_of_pmic(answer).watts) << answer;
        EXPECT_FALSE(power_of_pmic(answer).supply_v) << answer;
    }
}

} // namespace
} // namespace pillar::telemetry
