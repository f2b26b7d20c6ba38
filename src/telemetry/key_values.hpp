#pragma once
// Files of lines "key: value unit" (/proc/meminfo, /proc/self/status, /proc/cpuinfo) or "key value"
// (memory.stat).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace pillar::telemetry {

/// What follows the first line's key and its separator, without surrounding blanks.
std::optional<std::string> value_of(const std::filesystem::path& file, std::string_view key);
/// The same as a whole number.
std::optional<std::uint64_t> number_of(const std::filesystem::path& file, std::string_view key);

} // namespace pillar::telemetry
