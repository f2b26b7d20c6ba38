// Line by line until the key is found.

#include "key_values.hpp"

#include <charconv>
#include <fstream>

namespace pillar::telemetry {

std::optional<std::string> value_of(const std::filesystem::path& file, std::string_view key) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with(key)) continue;
        const auto after = line.find_first_not_of(" \t", key.size());
        if (after == std::string::npos) continue;
        const bool colon = line[after] == ':';
        if (!colon && after == key.size()) continue; // a longer key
        const auto begin = line.find_first_not_of(" \t", colon ? after + 1 : after);
        if (begin == std::string::npos) return std::string();
        return line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> number_of(const std::filesystem::path& file, std::string_view key) {
    const auto text = value_of(file, key);
    if (!text) return std::nullopt;
    std::uint64_t value = 0;
    const auto result = std::from_chars(text->data(), text->data() + text->size(), value);
    return result.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

} // namespace pillar::telemetry
