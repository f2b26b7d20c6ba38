#pragma once
// What a board takes and what it is supplied with, where it tells: a power monitor that Linux knows
// (INA219 and its relatives, ACPI's power meter) or the power chip of a Raspberry Pi 5, asked
// through its firmware. What a machine does not tell is absent, never an error.

#include <filesystem>
#include <optional>
#include <string_view>

namespace pillar::telemetry {

struct Power {
    std::optional<double> watts;
    std::optional<double> supply_v;
};

/// Looks once for what there is; a reading asks that alone. `root` stands for "/".
class PowerMeter {
  public:
    explicit PowerMeter(const std::filesystem::path& root = "/");
    /// Some milliseconds where the sensor is behind a slow bus, in which the thread sleeps.
    [[nodiscard]] Power read() const;

  private:
    std::filesystem::path watts_, volts_; ///< files in microwatts and millivolts; empty: none
    bool has_pmic_ = false;
};

/// From the firmware's answer to `pmic_read_adc`, lines such as
///     VDD_CORE_A current(7)=2.65960000A
///     VDD_CORE_V volt(15)=0.72070310V
///     EXT5V_V volt(24)=5.15496000V
/// Watts are the sum of current times voltage over the rails that have both: what the board takes
/// without losses of the regulators and what hangs on its USB ports. Supply: EXT5V.
[[nodiscard]] Power power_of_pmic(std::string_view answer);

} // namespace pillar::telemetry
