// hwmon's units: https://docs.kernel.org/hwmon/sysfs-interface.html (power in µW, voltage in mV).
// The INA2xx drivers have the shunt's voltage in in0 and the bus's in in1. The firmware is asked as
// vcgencmd does it: https://github.com/raspberrypi/utils/tree/master/vcgencmd

#include "pillar/telemetry/power.hpp"

#include "pillar/core/control_groups.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

namespace pillar::telemetry {

namespace {

/// Chips that measure what a board takes. Others measure a part of it (a GPU, a battery).
bool measures_a_board(std::string_view chip) {
    return chip.starts_with("ina2") || chip == "power_meter";
}

/// In the order of their numbers.
std::vector<std::filesystem::path> monitors(const std::filesystem::path& root) {
    std::vector<std::filesystem::path> folders;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(root / "sys/class/hwmon", none)) {
        if (measures_a_board(read_line(entry.path() / "name").value_or("")))
            folders.push_back(entry.path());
    }
    std::ranges::sort(folders, {}, [](const std::filesystem::path& folder) {
        const std::string name = folder.filename().string();
        return std::pair(name.size(), name); // hwmon9 before hwmon10
    });
    return folders;
}

std::optional<double> scaled(const std::filesystem::path& file, double unit) {
    if (file.empty()) return std::nullopt;
    const auto number = read_number(file);
    if (!number) return std::nullopt;
    return static_cast<double>(*number) * unit;
}

/// What the firmware answers to a command of vcgencmd; empty where it cannot be asked.
std::string ask_firmware(std::string_view command) {
    constexpr std::size_t max_text = 1024;
    constexpr std::uint32_t get_gencmd_result = 0x00030080;
    struct Message {
        std::uint32_t size = sizeof(Message);
        std::uint32_t request = 0;
        std::uint32_t tag = get_gencmd_result;
        std::uint32_t capacity = max_text;
        std::uint32_t length = 0;
        std::uint32_t error = 0;
        std::array<char, max_text> text{};
        std::uint32_t end = 0;
    } message;
    const int device = ::open("/dev/vcio", O_RDWR | O_CLOEXEC);
    if (device < 0) return "";
    std::ranges::copy(command, message.text.begin());
    const int answered = ::ioctl(device, _IOWR(100, 0, char*), &message);
    ::close(device);
    if (answered < 0 || message.error != 0) return "";
    return {message.text.data(), ::strnlen(message.text.data(), max_text)};
}

/// "7)=2.6596A" → 2.6596; nothing where that is not how it looks.
std::optional<double> value_after_equals(std::string_view text) {
    const std::size_t at = text.find('=');
    if (at == std::string_view::npos) return std::nullopt;
    double value = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data() + at + 1, end, value).ec != std::errc{}) return std::nullopt;
    return value;
}

} // namespace

PowerMeter::PowerMeter(const std::filesystem::path& root) {
    for (const std::filesystem::path& folder : monitors(root)) {
        for (const char* name : {"power1_input", "power1_average"})
            if (watts_.empty() && read_number(folder / name)) watts_ = folder / name;
        if (volts_.empty() && read_number(folder / "in1_input")) volts_ = folder / "in1_input";
    }
    const Power told = power_of_pmic(root == "/" ? ask_firmware("pmic_read_adc") : "");
    has_pmic_ = told.watts.has_value() || told.supply_v.has_value();
}

Power PowerMeter::read() const {
    Power power{scaled(watts_, 1e-6), scaled(volts_, 1e-3)};
    if (!has_pmic_ || (power.watts && power.supply_v)) return power;
    const Power told = power_of_pmic(ask_firmware("pmic_read_adc"));
    if (!power.watts) power.watts = told.watts;
    if (!power.supply_v) power.supply_v = told.supply_v;
    return power;
}

Power power_of_pmic(std::string_view answer) {
    std::map<std::string_view, double> amperes, volts; // by rail
    while (!answer.empty()) {
        std::string_view line = answer.substr(0, answer.find('\n'));
        answer.remove_prefix(std::min(line.size() + 1, answer.size()));
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        const std::string_view name = line.substr(0, line.find(' '));
        const auto value = value_after_equals(line);
        if (!value || name.size() < 3) continue;
        const std::string_view rail = name.substr(0, name.size() - 2);
        if (name.ends_with("_A")) amperes[rail] = *value;
        if (name.ends_with("_V")) volts[rail] = *value;
    }
    Power power;
    for (const auto& [rail, current] : amperes)
        if (const auto voltage = volts.find(rail); voltage != volts.end())
            power.watts = power.watts.value_or(0) + current * voltage->second;
    if (const auto supply = volts.find("EXT5V"); supply != volts.end())
        power.supply_v = supply->second;
    return power;
}

} // namespace pillar::telemetry
