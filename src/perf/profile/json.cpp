// A profile's text: what it must hold, and what no machine can be.

#include "fields.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fmt/core.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <pillar/profiles.hpp>
#include <set>

namespace pillar::perf {

namespace {

using Json = nlohmann::ordered_json;

const ShippedText* find_shipped(std::span<const ShippedText> texts, std::string_view name) {
    const auto place = std::ranges::find(texts, name, &ShippedText::name);
    return place == texts.end() ? nullptr : &*place;
}

std::vector<std::string_view> names_of(std::span<const ShippedText> texts) {
    std::vector<std::string_view> names;
    for (const ShippedText& text : texts) names.push_back(text.name);
    return names;
}

/// Fills in a profile from its JSON, and notes what it has found.
class Reader {
  public:
    Reader(MachineProfile& profile, const std::string& path)
        : profile_(profile), path_(path), fields_(fields_of(profile)) {}

    void read(const Json& all) {
        if (!all.is_object()) throw error("profile", "is not an object: { ... }");
        if (const auto base = all.find("base"); base != all.end()) take_base(*base);
        for (const auto& [key, value] : all.items()) {
            if (key == "base") continue;
            if (key == "name") {
                if (!value.is_string()) throw error("name", "is not a text: \"...\"");
                profile_.name = value.get<std::string>();
            } else if (value.is_object() && is_section(key)) {
                for (const auto& [inner, number] : value.items()) set(key, inner, number);
            } else {
                set("", key, value);
            }
        }
    }

    /// Of every section, or of one.
    void expect_all(std::string_view section = "") const {
        if (has_base_) return;
        for (const ProfileField& field : fields_) {
            if (!section.empty() && field.section != section) continue;
            if (field.presence == Presence::required && !given_.contains(field.name()))
                throw error(field.name(), "is missing: a profile has every number (those in "
                                          "hostfiles/pi4.json), or a \"base\": \"pi4\" that gives "
                                          "the rest");
        }
        if (section.empty() && !given_.contains("arithmetic.grid_gmac_per_s"))
            profile_.grid_macs_per_s = usual_grid_share * profile_.macs_per_s;
    }

    /// What single numbers do not show.
    void expect_sense() const {
        if (profile_.n_threads != std::floor(profile_.n_threads))
            throw error("threads",
                        fmt::format("is {}, which is no whole number", profile_.n_threads));
        const PowerProfile& power = profile_.power;
        if (power.idle_w > power.decode_w)
            throw error("power.idle_w", fmt::format("is {}, more than power.decode_w of {}",
                                                    power.idle_w, power.decode_w));
    }

  private:
    [[nodiscard]] FormatError error(const std::string& field, const std::string& problem) const {
        return {path_, printable(field), std::nullopt, problem};
    }

    [[nodiscard]] bool is_section(std::string_view key) const {
        return std::ranges::find(fields_, key, &ProfileField::section) != fields_.end();
    }

    void take_base(const Json& base) {
        const ShippedText* text =
            base.is_string() ? find_shipped(shipped_profiles, base.get<std::string>()) : nullptr;
        if (text == nullptr)
            throw error("base", fmt::format("is none of the profiles that pillar has: {}",
                                            joined(names_of(shipped_profiles), ", ")));
        profile_ = parse_profile(std::string(text->text), std::string(text->name));
        has_base_ = true;
    }

    double number_of(const ProfileField& field, const std::string& name, const Json& value) const {
        if (!value.is_number()) throw error(name, "is not a number");
        const auto number = value.get<double>();
        if (!(number >= field.least && number <= field.most))
            throw error(name, fmt::format("is {}, which is not from {} to {}", number, field.least,
                                          field.most));
        return number;
    }

    void set(std::string_view section, const std::string& key, const Json& value) {
        const auto place = std::ranges::find_if(fields_, [&](const ProfileField& field) {
            return field.section == section && field.key == key;
        });
        if (place == fields_.end())
            throw error(field_name(section, key),
                        "is not known; hostfiles/pi4.json has all there are");
        const std::string name = place->name();
        std::erase_if(profile_.ranges,
                      [&](const NumberRange& range) { return range.field == name; });
        *place->member = place->unit * (value.is_object() ? number_with_range(*place, name, value)
                                                          : number_of(*place, name, value));
        given_.insert(name);
    }

    /// {"value": 3.66, "low": 3.6, "high": 4.4, "source": "…"}
    double number_with_range(const ProfileField& field, const std::string& name,
                             const Json& parts) {
        for (const auto& [key, part] : parts.items())
            if (key != "value" && key != "low" && key != "high" && key != "source")
                throw error(name + "." + key,
                            "is not known; a number has value, low, high, source");
        const auto part = [&](const char* key) {
            const auto place = parts.find(key);
            if (place == parts.end()) throw error(name + "." + key, "is missing");
            return number_of(field, name + "." + key, *place);
        };
        const double value = part("value");
        NumberRange range{name, value, value, {}};
        if (parts.contains("low") || parts.contains("high")) {
            range.low = part("low");
            range.high = part("high");
            if (range.low > value || range.high < value)
                throw error(name, fmt::format("is {}, which does not lie between its low of {} and "
                                              "its high of {}",
                                              value, range.low, range.high));
        }
        if (const auto source = parts.find("source"); source != parts.end()) {
            if (!source->is_string()) throw error(name + ".source", "is not a text: \"...\"");
            range.source = source->get<std::string>();
        }
        range.low *= field.unit;
        range.high *= field.unit;
        profile_.ranges.push_back(std::move(range));
        return value;
    }

    MachineProfile& profile_;
    const std::string& path_;
    std::vector<ProfileField> fields_;
    std::set<std::string> given_;
    bool has_base_ = false;
};

std::string read_all(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) throw IoError::from_errno(path, "open", errno);
    std::string text;
    char buffer[4096];
    std::size_t n = 0;
    while ((n = std::fread(buffer, 1, sizeof buffer, file)) > 0) text.append(buffer, n);
    const bool failed = std::ferror(file) != 0;
    const int reason = errno;
    std::fclose(file);
    if (failed) throw IoError::from_errno(path, "read", reason);
    return text;
}

struct TextPosition {
    std::size_t line, column; ///< from 1
    bool is_end;
};

/// Of the byte number `byte` (from 1) at which the JSON library stopped.
TextPosition position_of(const std::string& text, std::size_t byte) {
    const std::string_view before = std::string_view(text).substr(0, byte > 0 ? byte - 1 : 0);
    const auto n_lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
    const std::size_t line_begin = before.rfind('\n') + 1; // npos + 1: 0
    return {n_lines + 1, before.size() - line_begin + 1, byte > text.size()};
}

Json parse_json(const std::string& text, const std::string& path) {
    try {
        constexpr bool comments_too = true;
        return Json::parse(text, nullptr, true, comments_too);
    } catch (const Json::parse_error& problem) {
        const TextPosition place = position_of(text, problem.byte);
        throw FormatError(path, fmt::format("line {}, column {}", place.line, place.column),
                          std::nullopt,
                          place.is_end ? "the file ends here, and what it began has no end: JSON "
                                         "stands between { and }"
                                       : "this is not JSON; look there for a comma, a quote or a "
                                         "bracket that is missing or too many");
    } catch (const Json::out_of_range&) { // which does not say where
        throw FormatError(path, "profile", std::nullopt,
                          "a number is too large to be stored; no field goes beyond 1e6");
    }
}

/// A name that pillar has is never a file: "./pi4" is one.
std::string text_of(std::span<const ShippedText> shipped, const std::string& path_or_name) {
    const ShippedText* text = find_shipped(shipped, path_or_name);
    if (text != nullptr) return std::string(text->text);
    try {
        return read_all(path_or_name);
    } catch (const IoError& problem) {
        if (problem.code() != ExitCode::no_input || path_or_name.find('/') != std::string::npos ||
            path_or_name.ends_with(".json"))
            throw;
        throw IoError(problem.code(), path_or_name,
                      fmt::format("there is no such file, and what pillar brings along is {}",
                                  joined(names_of(shipped), ", ")));
    }
}

} // namespace

std::vector<std::string_view> profile_names() {
    return names_of(shipped_profiles);
}

std::vector<std::string_view> network_names() {
    return names_of(shipped_networks);
}

MachineProfile parse_profile(const std::string& text, const std::string& path) {
    MachineProfile profile;
    Reader reader(profile, path);
    reader.read(parse_json(text, path));
    reader.expect_all();
    reader.expect_sense();
    return profile;
}

MachineProfile read_profile(const std::string& path_or_name) {
    return parse_profile(text_of(shipped_profiles, path_or_name), path_or_name);
}

void read_network(const std::string& path_or_name, MachineProfile& profile) {
    MachineProfile other;
    other.name = path_or_name;
    Reader reader(other, path_or_name);
    reader.read(parse_json(text_of(shipped_networks, path_or_name), path_or_name));
    reader.expect_all("network");
    const auto is_of_network = [](const NumberRange& range) {
        return range.field.starts_with("network.");
    };
    std::erase_if(profile.ranges, is_of_network);
    std::ranges::copy_if(other.ranges, std::back_inserter(profile.ranges), is_of_network);
    const ReductionProfile of_the_processor = profile.network.reduction;
    profile.network = other.network;
    profile.network.reduction = of_the_processor;
    profile.name = fmt::format("{}, {}", profile.name, other.name);
}

} // namespace pillar::perf
