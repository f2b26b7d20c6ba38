// A meter's log → columns of watts over UTC.

#include "pillar/metering/meter_log.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "time_stamp.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fmt/core.h>
#include <fstream>

namespace pillar::metering {

namespace {

constexpr double most_watts = 1e5; ///< a rack; more is another unit

std::string trimmed(std::string_view text) {
    const auto is_outside = [](char c) { return c == ' ' || c == '\r' || c == '"' || c == '\t'; };
    while (!text.empty() && is_outside(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_outside(text.back())) text.remove_suffix(1);
    return std::string(text);
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// What a title says: the unit's factor to watts where it is one of power.
struct Title {
    std::string name; ///< without the unit
    std::optional<double> factor;
    bool is_time = false;
};

Title title_of(const std::string& text) {
    struct Unit {
        const char* ending;
        double factor;
    };
    constexpr Unit units[] = {{"(mw)", 1e-3}, {"[mw]", 1e-3}, {"_mw", 1e-3}, {"(kw)", 1e3},
                              {"[kw]", 1e3},  {"_kw", 1e3},   {"(w)", 1},    {"[w]", 1},
                              {"_w", 1},      {" w", 1}};
    const std::string all = lower(text);
    for (const char* name : {"time", "timestamp", "date", "datetime", "utc", "t", "unix", "epoch"})
        if (all == name || all == std::string(name) + "_s" || all == std::string(name) + "_utc")
            return {text, {}, true};
    for (const Unit& unit : units)
        if (all.ends_with(unit.ending))
            return {trimmed(text.substr(0, text.size() - std::string(unit.ending).size())),
                    unit.factor};
    if (all == "w" || all.find("watt") != std::string::npos ||
        all.find("power") != std::string::npos)
        return {text, 1.0};
    return {text, {}};
}

class LogReader {
  public:
    LogReader(const std::string& path, std::optional<double> zone_s)
        : path_(path), zone_s_(zone_s), file_(path) {
        if (!file_) throw IoError::from_errno(path, "open", errno);
        log_.path = path;
    }

    MeterLog read() {
        read_titles();
        std::string line;
        while (next(line)) read_line(line);
        if (file_.bad()) throw IoError(ExitCode::io, path_, "cannot be read");
        for (const MeterColumn& column : log_.columns)
            if (column.time_s.size() < 2)
                refuse(fmt::format("column {} has fewer than two samples", printable(column.name)));
        return std::move(log_);
    }

  private:
    [[noreturn]] void refuse(const std::string& problem) const {
        throw FormatError(path_, "", std::nullopt, problem);
    }
    [[noreturn]] void refuse_line(const std::string& problem) const {
        throw FormatError(path_, fmt::format("line {}", n_lines_), std::nullopt, problem);
    }

    bool next(std::string& line) {
        while (std::getline(file_, line)) {
            ++n_lines_;
            if (n_lines_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
            if (!trimmed(line).empty() && line.front() != '#') return true;
        }
        return false;
    }

    void read_titles() {
        std::string line;
        if (!next(line)) refuse("is empty; a meter's log has a line of titles and one a sample");
        for (const char separator : {'\t', ';', ','})
            if (line.find(separator) != std::string::npos) {
                separator_ = separator;
                break;
            }
        for (const std::string_view piece : split(line, separator_)) {
            titles_.push_back(title_of(trimmed(piece)));
        }
        if (titles_.size() < 2) refuse_line("has one column; a time and watts are needed");
        const auto time = std::ranges::find(titles_, true, &Title::is_time);
        time_ = time == titles_.end() ? 0 : static_cast<std::size_t>(time - titles_.begin());
        take_columns();
    }

    void take_columns() {
        const auto n_powers = std::ranges::count_if(
            titles_, [](const Title& title) { return title.factor.has_value(); });
        if (n_powers == 0 && titles_.size() == 2)
            titles_[1 - time_].factor = 1;
        else if (n_powers == 0)
            refuse_line("has no column of watts: name them as in `pi1_w` or `power (W)`");
        for (std::size_t i = 0; i < titles_.size(); ++i) {
            if (i == time_ || !titles_[i].factor) continue;
            const std::string name = lower(titles_[i].name);
            if (name == "total" || name == "sum") log_.total = log_.columns.size();
            log_.columns.push_back({titles_[i].name, {}, {}});
            places_.push_back(i);
        }
        if (log_.columns.size() == 1) log_.total.reset();
    }

    void read_line(const std::string& line) {
        const auto fields = split(line, separator_);
        if (fields.size() != titles_.size())
            refuse_line(fmt::format("has {} fields instead of {}", fields.size(), titles_.size()));
        const std::string stamp_text = trimmed(fields[time_]);
        const auto stamp = read_time_stamp(stamp_text);
        if (!stamp)
            refuse_line(
                fmt::format("\"{}\" is no time: ISO 8601 with a zone, or seconds since 1970",
                            printable(stamp_text)));
        double time_s = stamp->seconds;
        if (!stamp->has_zone) {
            time_s -= zone_s_.value_or(0);
            log_.zone_was_assumed |= !zone_s_;
        }
        if (time_s <= last_s_)
            refuse_line(
                fmt::format("\"{}\" is not after the line before it; a log over a change of "
                            "the clock needs times with their zone",
                            printable(stamp_text)));
        last_s_ = time_s;
        for (std::size_t k = 0; k < places_.size(); ++k)
            add_sample(log_.columns[k], time_s, trimmed(fields[places_[k]]),
                       *titles_[places_[k]].factor);
    }

    void add_sample(MeterColumn& column, double time_s, const std::string& text, double factor) {
        if (text.empty() || lower(text) == "nan") return; // missed
        double value = 0;
        const char* end = text.data() + text.size();
        const auto [last, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc() || last != end || !std::isfinite(value))
            refuse_line(fmt::format("\"{}\" in column {} is no number", printable(text),
                                    printable(column.name)));
        value *= factor;
        if (value < 0 || value > most_watts)
            refuse_line(fmt::format("{} W in column {} is no power of a node", value,
                                    printable(column.name)));
        column.time_s.push_back(time_s);
        column.watts.push_back(value);
    }

    std::string path_;
    std::optional<double> zone_s_;
    std::ifstream file_;
    MeterLog log_;
    char separator_ = ',';
    std::vector<Title> titles_;
    std::size_t time_ = 0;
    std::vector<std::size_t> places_; ///< of the columns among the fields
    std::size_t n_lines_ = 0;
    double last_s_ = -1e300;
};

} // namespace

MeterLog read_meter(const std::string& path, std::optional<double> zone_s) {
    return LogReader(path, zone_s).read();
}

} // namespace pillar::metering
