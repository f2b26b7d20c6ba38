// A profile as a file that people can change.

#include "fields.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace pillar::perf {

std::string profile_text(const MachineProfile& profile, std::span<const std::string> header) {
    MachineProfile copy = profile;
    const std::vector<ProfileField> fields = fields_of(copy);
    const auto quoted = [](const std::string& text) {
        return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
    };
    const auto number = [&](const ProfileField& field) {
        const double value = *field.member / field.unit;
        const auto range = std::ranges::find(profile.ranges, field.name(), &NumberRange::field);
        if (range == profile.ranges.end()) return fmt::format("{:.6g}", value);
        std::string text = fmt::format("{{\"value\": {:.6g}", value);
        if (range->low != range->high)
            text += fmt::format(", \"low\": {:.6g}, \"high\": {:.6g}", range->low / field.unit,
                                range->high / field.unit);
        if (!range->source.empty()) text += fmt::format(", \"source\": {}", quoted(range->source));
        return text + "}";
    };
    std::string text;
    for (const std::string& line : header) text += fmt::format("// {}\n", printable(line, 400));
    text += fmt::format("{{\n    \"name\": {},\n", quoted(profile.name));
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const ProfileField& field = fields[i];
        const bool is_first = i == 0 || field.section != fields[i - 1].section;
        const bool is_last = i + 1 == fields.size() || field.section != fields[i + 1].section;
        if (is_first && !field.section.empty())
            text += fmt::format("    \"{}\": {{\n", field.section);
        text +=
            fmt::format("{:{}}\"{}\": {}{} // {}\n", "", field.section.empty() ? 4 : 8, field.key,
                        number(field), is_last && !field.section.empty() ? "" : ",", field.comment);
        if (is_last && !field.section.empty())
            text += fmt::format("    }}{}\n", i + 1 == fields.size() ? "" : ",");
    }
    return text + "}\n";
}

} // namespace pillar::perf
