#pragma once
// Times as logs and traces write them.

#include <optional>
#include <string>
#include <string_view>

namespace pillar::metering {

struct TimeStamp {
    double seconds = 0; ///< since 1970; of UTC where it has a zone
    bool has_zone = false;
};

/// ISO 8601 (a blank may stand for the T), or a number of seconds or milliseconds since 1970;
/// nothing for anything else.
[[nodiscard]] std::optional<TimeStamp> read_time_stamp(std::string_view text);

/// "2026-01-31 23:59:59 UTC"
[[nodiscard]] std::string utc_text(double seconds);

} // namespace pillar::metering
