#include "pillar/trace/details.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/storage/reader.hpp"

#include <fmt/core.h>

namespace pillar::trace {

namespace {

/// One group's columns, all of one length.
class DetailColumns {
  public:
    DetailColumns(const storage::Reader& file, const std::string& path, std::string group,
                  std::size_t n)
        : file_(&file), path_(path), group_(std::move(group)), n_(n) {}

    /// Calls with each row's number and value.
    template <class T, class Take>
    void read(const char* name, Take&& take) const {
        const std::string column = group_ + "/" + name;
        const std::vector<T> values = file_->column<T>(column);
        if (values.size() != n_)
            throw FormatError(path_, column, std::nullopt,
                              fmt::format("has {} elements instead of {}", values.size(), n_));
        for (std::size_t i = 0; i < n_; ++i) take(i, values[i]);
    }
    /// Below `limit`, as what it enumerates; throws FormatError otherwise.
    template <class Enum>
    [[nodiscard]] Enum known(const char* name, std::uint32_t value, std::uint32_t limit) const {
        expect_below(name, value, limit);
        return static_cast<Enum>(value);
    }
    void expect_below(const char* name, std::uint32_t value, std::uint32_t limit) const {
        if (value >= limit)
            throw FormatError(path_, group_ + "/" + name, std::nullopt,
                              fmt::format("holds {}, which is not below {}", value, limit));
    }

  private:
    const storage::Reader* file_;
    std::string path_;
    std::string group_;
    std::size_t n_;
};

std::size_t length_of(const storage::Reader& file, const std::string& path, const char* column) {
    const auto shape = file.shape(column);
    if (shape.size() == 1) return shape[0];
    throw FormatError(path, column, std::nullopt, "is not one-dimensional");
}

void read_clocks(const storage::Reader& file, const std::string& path, Details& details) {
    const std::size_t n = details.clocks.size();
    const DetailColumns columns(file, path, "/hosts", n);
    const auto numbers = [&](const char* name, double ClockRow::*member) {
        if (!file.has(std::string("/hosts/") + name)) return;
        columns.read<double>(
            name, [&](std::size_t i, double value) { details.clocks[i].*member = value; });
    };
    numbers("clock_offset_s", &ClockRow::offset_s);
    numbers("clock_offset_end_s", &ClockRow::offset_end_s);
    numbers("clock_hz", &ClockRow::core_hz);
    numbers("clock_end_hz", &ClockRow::core_end_hz);
    numbers("temperature_c", &ClockRow::temperature_c);
    numbers("temperature_end_c", &ClockRow::temperature_end_c);
    if (file.has("/hosts/throttled"))
        columns.read<std::uint32_t>("throttled", [&](std::size_t i, std::uint32_t bits) {
            details.clocks[i].throttled = bits;
        });
}

void read_collectives(const storage::Reader& file, const std::string& path, Details& details) {
    if (!file.has("/collectives/bytes")) return;
    auto& rows = details.collectives;
    rows.resize(length_of(file, path, "/collectives/bytes"));
    const DetailColumns columns(file, path, "/collectives", rows.size());
    columns.read<std::uint8_t>("phase", [&](std::size_t i, std::uint8_t value) {
        rows[i].phase = columns.known<Phase>("phase", value, 2);
    });
    columns.read<std::uint8_t>("kind", [&](std::size_t i, std::uint8_t value) {
        rows[i].kind = columns.known<CollectiveRow::Kind>("kind", value, 3);
    });
    columns.read<std::uint32_t>("bytes",
                                [&](std::size_t i, std::uint32_t value) { rows[i].bytes = value; });
    columns.read<std::uint64_t>("count",
                                [&](std::size_t i, std::uint64_t value) { rows[i].count = value; });
    columns.read<double>("wait_s", [&](std::size_t i, double value) { rows[i].wait_s = value; });
    columns.read<double>("wire_s", [&](std::size_t i, double value) { rows[i].wire_s = value; });
    columns.read<double>("wire_min_s",
                         [&](std::size_t i, double value) { rows[i].wire_min_s = value; });
}

void read_waiting(const storage::Reader& file, const std::string& path, Details& details) {
    details.has_waiting = file.has("/waiting/pair");
    if (!details.has_waiting) return;
    auto& rows = details.waiting;
    rows.resize(length_of(file, path, "/waiting/pair"));
    const DetailColumns columns(file, path, "/waiting", rows.size());
    const auto n_ranks = static_cast<std::uint32_t>(details.clocks.size());
    columns.read<std::uint8_t>("phase", [&](std::size_t i, std::uint8_t value) {
        rows[i].phase = columns.known<Phase>("phase", value, 2);
    });
    columns.read<std::uint32_t>("rank", [&](std::size_t i, std::uint32_t value) {
        columns.expect_below("rank", value, n_ranks);
        rows[i].rank = value;
    });
    columns.read<std::uint32_t>("cause", [&](std::size_t i, std::uint32_t value) {
        columns.expect_below("cause", value, n_ranks);
        rows[i].cause = value;
    });
    columns.read<std::uint64_t>("count",
                                [&](std::size_t i, std::uint64_t value) { rows[i].count = value; });
    columns.read<double>("wait_s", [&](std::size_t i, double value) { rows[i].wait_s = value; });
    columns.read<double>("wait_uncertainty_s",
                         [&](std::size_t i, double value) { rows[i].wait_uncertainty_s = value; });
}

void read_generated(const storage::Reader& file, const std::string& path, Details& details) {
    if (!file.has("/tokens/step")) return;
    std::vector<TokenRow> rows(length_of(file, path, "/tokens/step"));
    std::vector<std::uint8_t> phases(rows.size());
    const DetailColumns columns(file, path, "/tokens", rows.size());
    columns.read<std::uint64_t>("step",
                                [&](std::size_t i, std::uint64_t value) { rows[i].step = value; });
    columns.read<std::int32_t>(
        "sequence", [&](std::size_t i, std::int32_t value) { rows[i].sequence = value; });
    columns.read<std::int32_t>(
        "position", [&](std::size_t i, std::int32_t value) { rows[i].position = value; });
    columns.read<double>("latency_s",
                         [&](std::size_t i, double value) { rows[i].latency_s = value; });
    columns.read<std::uint8_t>("phase", [&](std::size_t i, std::uint8_t v) { phases[i] = v; });
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (phases[i] == 1) details.tokens.push_back(rows[i]);
}

} // namespace

Details read_details(const std::string& path, std::size_t n_ranks) {
    const storage::Reader file(path);
    Details details;
    details.clocks.resize(n_ranks);
    read_clocks(file, path, details);
    read_collectives(file, path, details);
    read_waiting(file, path, details);
    read_generated(file, path, details);
    return details;
}

} // namespace pillar::trace
