#include "pillar/report/studies.hpp"

#include "pillar/core/text.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>
#include <map>
#include <optional>
#include <set>

namespace pillar::report {

namespace {

using Settings = std::map<std::string, std::string>;

Settings settings_of(const ScalingRow& row) {
    Settings settings{{"ranks", fmt::format("{}", row.n_ranks)}, {"threads", row.threads}};
    for (const Option& option : row.options) settings[option.name] = option.value;
    return settings;
}

std::optional<double> number_of(const std::string& text) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [last, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

/// In which the rows of the table differ.
std::set<std::string> differing(const std::vector<Settings>& rows) {
    std::set<std::string> names;
    for (const Settings& row : rows)
        for (const auto& [name, value] : row)
            if (const auto first = rows.front().find(name);
                first == rows.front().end() || first->second != value)
                names.insert(name);
    return names;
}

/// "threads=4, wire=f32" of those that differ in the table but not in the study.
std::string alike_text(const Settings& row, std::set<std::string> names,
                       const std::set<std::string>& studied) {
    for (const std::string& name : studied) names.erase(name);
    std::vector<std::string> texts;
    for (const std::string& name : names) {
        const auto found = row.find(name);
        texts.push_back(name + "=" + (found == row.end() ? "?" : found->second));
    }
    return joined(texts, ", ");
}

Study::Kind kind_of(const std::string& setting) {
    using enum Study::Kind;
    if (setting == "ranks") return strong;
    if (setting == "threads") return threads;
    if (setting == "n_context") return context;
    if (setting == "batch" || setting == "n_sequences") return batch;
    if (setting == "wire") return wire;
    return other;
}

/// The rows by what they have beside `studied`; each group is alike in all of that.
std::map<Settings, std::vector<std::size_t>> groups_beside(const std::vector<Settings>& rows,
                                                           const std::set<std::string>& studied) {
    std::map<Settings, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Settings rest = rows[i];
        for (const std::string& name : studied) rest.erase(name);
        groups[rest].push_back(i);
    }
    return groups;
}

void sort(Study& study) {
    std::ranges::stable_sort(study.points, {}, &StudyPoint::x);
}

void add_studies_of(std::vector<Study>& studies, const std::vector<Settings>& rows,
                    const std::set<std::string>& names, const std::string& setting) {
    for (const auto& [rest, members] : groups_beside(rows, {setting})) {
        if (members.size() < 2) continue;
        Study study{
            kind_of(setting), setting, alike_text(rows[members.front()], names, {setting}), {}};
        bool are_numbers = true;
        for (const std::size_t row : members) {
            const std::string& label = rows[row].at(setting);
            const auto x = number_of(label);
            are_numbers &= x.has_value();
            study.points.push_back({row, x.value_or(0), label});
        }
        for (std::size_t i = 0; !are_numbers && i < study.points.size(); ++i)
            study.points[i].x = static_cast<double>(i);
        sort(study);
        studies.push_back(std::move(study));
    }
}

/// Rows in which ranks and the work grow alike.
void add_weak_studies(std::vector<Study>& studies, const std::vector<Settings>& rows,
                      const std::set<std::string>& names, const std::string& work) {
    for (const auto& [rest, members] : groups_beside(rows, {"ranks", work})) {
        std::map<double, Study> by_work; // of one rank
        for (const std::size_t row : members) {
            const auto n_ranks = number_of(rows[row].at("ranks"));
            const auto amount = number_of(rows[row].at(work));
            if (!n_ranks || !amount || *amount <= 0) continue;
            Study& study = by_work[*amount / *n_ranks];
            study.points.push_back({row, *n_ranks, rows[row].at("ranks")});
        }
        for (auto& [per_rank, study] : by_work) {
            if (study.points.size() < 2) continue;
            study.kind = Study::Kind::weak;
            study.setting = "ranks and " + work;
            const std::string alike =
                alike_text(rows[study.points.front().row], names, {"ranks", work});
            study.alike =
                fmt::format("{}={:g} a rank{}{}", work, per_rank, alike.empty() ? "" : ", ", alike);
            sort(study);
            studies.push_back(std::move(study));
        }
    }
}

/// Rows whose all-reduces had several lengths.
void add_message_studies(std::vector<Study>& studies, const ScalingTable& table) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const ScalingRow& row = table.rows[i];
        std::set<std::uint32_t> sizes;
        for (const trace::CollectiveRow& one : row.totals.collectives)
            if (one.kind == trace::CollectiveRow::Kind::allreduce) sizes.insert(one.bytes);
        if (row.n_ranks < 2 || sizes.size() < 2) continue;
        Study study{Study::Kind::message,
                    "bytes of an all-reduce",
                    fmt::format("ranks={}, threads={}{}{}", row.n_ranks, row.threads,
                                row.variant.empty() ? "" : ", ", row.variant),
                    {}};
        for (const std::uint32_t size : sizes)
            study.points.push_back({i, static_cast<double>(size), fmt::format("{}", size)});
        studies.push_back(std::move(study));
    }
}

} // namespace

std::string name_of(const Study& study) {
    using enum Study::Kind;
    switch (study.kind) {
    case strong:
        return "strong scaling";
    case weak:
        return "weak scaling";
    case threads:
        return "threads";
    case context:
        return "context";
    case batch:
        return "batch";
    case wire:
        return "wire";
    case message:
        return "message size";
    case other:
        break;
    }
    return study.setting;
}

bool is_numeric(const Study& study) noexcept {
    return std::ranges::all_of(
        study.points, [](const StudyPoint& point) { return number_of(point.label).has_value(); });
}

std::vector<Study> studies_of(const ScalingTable& table) {
    std::vector<Settings> rows;
    for (const ScalingRow& row : table.rows) rows.push_back(settings_of(row));
    const std::set<std::string> names = differing(rows);
    std::vector<Study> studies;
    add_studies_of(studies, rows, names, "ranks");
    if (names.contains("ranks"))
        for (const char* work : {"n_sequences", "batch"})
            if (names.contains(work)) add_weak_studies(studies, rows, names, work);
    for (const std::string& name : names)
        if (name != "ranks") add_studies_of(studies, rows, names, name);
    add_message_studies(studies, table);
    return studies;
}

} // namespace pillar::report
