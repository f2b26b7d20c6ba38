// Clocks, temperature, throttling. A Raspberry Pi's firmware tells its throttling bits through its
// own driver; a kernel without that driver may still have the under-voltage alarm of the board's
// monitor.

#include "cpu_folders.hpp"

#include "pillar/core/control_groups.hpp"
#include "pillar/telemetry/host.hpp"

#include <array>
#include <charconv>
#include <fstream>
#include <utility>

namespace pillar::telemetry {

namespace {

namespace fs = std::filesystem;

/// "cpu MHz" lines of a PC without cpufreq (virtual machines).
std::vector<double> clocks_of_cpuinfo(const fs::path& root) {
    std::vector<double> clocks;
    std::ifstream file(root / "proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("cpu MHz")) continue;
        const auto begin = line.find_first_of("0123456789");
        double mhz = 0;
        if (begin != std::string::npos &&
            std::from_chars(line.data() + begin, line.data() + line.size(), mhz).ec == std::errc{})
            clocks.push_back(mhz);
    }
    return clocks;
}

std::vector<double> clocks_mhz(const fs::path& root) {
    std::vector<double> clocks;
    for (const fs::path& cpu : cpu_folders(root)) {
        const auto khz = read_number(cpu / "cpufreq/scaling_cur_freq");
        if (!khz) return clocks_of_cpuinfo(root);
        clocks.push_back(static_cast<double>(*khz) * 1e-3);
    }
    return clocks;
}

/// How surely a thermal zone is the processor's.
int rank_of_zone(std::string_view type) {
    if (type == "cpu-thermal" || type == "cpu_thermal" || type == "x86_pkg_temp") return 2;
    return type.find("cpu") != std::string_view::npos ? 1 : 0;
}

std::optional<double> temperature_c(const fs::path& root) {
    std::optional<double> best;
    int best_rank = -1;
    for (int zone = 0; zone < 32; ++zone) {
        const fs::path folder =
            root / "sys/class/thermal" / ("thermal_zone" + std::to_string(zone));
        const auto millidegrees = read_number(folder / "temp");
        if (!millidegrees) continue;
        const int rank = rank_of_zone(read_line(folder / "type").value_or(""));
        if (rank <= best_rank) continue; // the lowest number among equals
        best = static_cast<double>(*millidegrees) * 1e-3;
        best_rank = rank;
    }
    return best;
}

std::optional<std::uint32_t> firmware_bits(const fs::path& root) {
    auto text = read_line(root / "sys/devices/platform/soc/soc:firmware/get_throttled");
    if (!text) return std::nullopt;
    if (text->starts_with("0x")) text->erase(0, 2);
    std::uint32_t bits = 0;
    const char* const end = text->data() + text->size();
    const auto result = std::from_chars(text->data(), end, bits, 16);
    return result.ec == std::errc{} && result.ptr == end ? std::optional(bits) : std::nullopt;
}

std::optional<std::uint32_t> under_voltage_alarm(const fs::path& root) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root / "sys/class/hwmon", none)) {
        if (read_line(entry.path() / "name") != "rpi_volt") continue;
        const auto alarm = read_number(entry.path() / "in0_lcrit_alarm");
        if (alarm) return *alarm != 0 ? under_voltage << 16 : 0u; // sticky: since boot
    }
    return std::nullopt;
}

} // namespace

Sensors read_sensors(const fs::path& root) {
    Sensors sensors;
    sensors.clocks_mhz = clocks_mhz(root);
    sensors.temperature_c = temperature_c(root);
    sensors.throttled = firmware_bits(root);
    if (!sensors.throttled) sensors.throttled = under_voltage_alarm(root);
    return sensors;
}

std::string describe_throttling(std::uint32_t bits) {
    constexpr std::array<std::pair<std::uint32_t, std::string_view>, 4> names{
        {{under_voltage, "under-voltage"},
         {clock_capped, "clock capped"},
         {clock_throttled, "clock throttled"},
         {soft_temperature_limit, "soft temperature limit"}}};
    std::string text;
    const auto add = [&](std::string_view name, std::string_view when) {
        if (!text.empty()) text += ", ";
        text.append(name).append(when);
    };
    for (const auto& [bit, name] : names) {
        if ((bits & bit) != 0) {
            add(name, " now");
        } else if ((bits & (bit << 16)) != 0) {
            add(name, " since boot");
        }
    }
    return text;
}

} // namespace pillar::telemetry
