#pragma once
// What a metered plug, or several, logged: a file → watts over time.
//
// A log is CSV (`,`, `;` or tabs) with a line of titles. One column is the time: ISO 8601 with a
// zone (`2026-01-31T23:59:59+01:00`, `…Z`), the same without one, or seconds or milliseconds since
// 1970. Columns of watts have "watt", "power" or a unit in their title (`pi1_w`, `power (W)`,
// `pi2 [mW]`); a column that is alone with the time is taken for watts. Each is a node's; `total`
// is the sum of the others. An empty field is a sample that was missed.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::metering {

/// One column of a log: its samples, those that were missed left out.
struct MeterColumn {
    std::string name;           ///< of the node: the title without its unit
    std::vector<double> time_s; ///< since 1970, UTC; rising
    std::vector<double> watts;
};

struct MeterLog {
    std::string path;
    bool zone_was_assumed = false;    ///< times had no zone and none was given: taken for UTC
    std::vector<MeterColumn> columns; ///< at least one, with at least two samples each
    std::optional<std::size_t> total; ///< the column that is the sum of the others
};

/// `zone_s`: east of UTC, of times without a zone; nothing: they are UTC. Throws IoError, or
/// FormatError naming the line or the column.
[[nodiscard]] MeterLog read_meter(const std::string& path, std::optional<double> zone_s);

/// "+02:00", "-0330", "Z", "UTC" → seconds east of UTC; nothing for anything else.
[[nodiscard]] std::optional<double> zone_named(std::string_view text);

} // namespace pillar::metering
