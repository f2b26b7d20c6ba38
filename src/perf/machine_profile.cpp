// One list of fields for reading and writing.

#include "pillar/perf/machine_profile.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace pillar::perf {

namespace {

using Json = nlohmann::ordered_json;

/// A number of the file: its value times `unit` is the member.
struct Field {
    const char* section; ///< "" at the top
    const char* key;
    double* member;
    double unit;
    double least, most; ///< in the file's unit
    const char* comment;
};

std::vector<Field> fields_of(MachineProfile& p) {
    constexpr double giga = 1e9, micro = 1e-6, nano = 1e-9;
    NetworkProfile& n = p.network;
    return {
        {"", "threads", &p.n_threads, 1, 1, 4096, "of a node, all used"},
        {"memory", "available_gb", &p.available_bytes, giga, 1e-3, 1e6,
         "for weights, KV cache and buffers"},
        {"memory", "read_gb_per_s", &p.read_bytes_per_s, giga, 1e-3, 1e5, "linear, all threads"},
        {"memory", "efficiency", &p.read_efficiency, 1, 1e-3, 1,
         "share of it that decoding reaches"},
        {"arithmetic", "int8_gmac_per_s", &p.macs_per_s, giga, 1e-3, 1e7,
         "int8 multiply-adds, all threads"},
        {"arithmetic", "int8_efficiency", &p.mac_efficiency, 1, 1e-3, 1,
         "share of it that prompts reach"},
        {"arithmetic", "f32_gmac_per_s", &p.float_macs_per_s, giga, 1e-3, 1e7,
         "f32 multiply-adds, for attention"},
        {"arithmetic", "f32_efficiency", &p.float_efficiency, 1, 1e-3, 1,
         "share of it that attention reaches"},
        {"arithmetic", "barrier_us", &p.barrier_s, micro, 0, 1e6, "all threads meeting once"},
        {"network", "latency_us", &n.latency_s, micro, 0, 1e6, "one way, a short message"},
        {"network", "ns_per_byte", &n.s_per_byte, nano, 0, 1e6, "one direction busy"},
        {"network", "ns_per_byte_both_ways", &n.s_per_byte_both_ways, nano, 0, 1e6,
         "both directions busy"},
        {"network", "ns_per_byte_long", &n.s_per_byte_long, nano, 0, 1e6,
         "the same, messages beyond 64 KiB"},
        {"network", "message_overhead_us", &n.message_overhead_s, micro, 0, 1e6,
         "each further message of a rank that sends several"},
        {"network", "store_and_forward_ns_per_byte", &n.store_and_forward_s_per_byte, nano, 0, 1e6,
         "of the first packet, in the switch"},
        {"network", "jitter_us", &n.jitter_s, micro, 0, 1e6,
         "delay of a collective between computing"},
        {"network", "hidden_share", &n.hidden_share, 1, 0, 1,
         "of a long sum's time, that computing meanwhile fills"},
        {"summing", "f32_ns_per_value", &n.reduction.f32_s, nano, 0, 1e6,
         "adding, one thread of a node"},
        {"summing", "f16_ns_per_value", &n.reduction.f16_s, nano, 0, 1e6,
         "encoding, decoding, adding"},
        {"summing", "q8_ns_per_value", &n.reduction.q8_s, nano, 0, 1e6, "the same"},
        {"power", "idle_w", &p.power.idle_w, 1, 0, 1e5, "of a node"},
        {"power", "decode_w", &p.power.decode_w, 1, 0, 1e5, "while it decodes"},
        {"power", "peak_w", &p.power.peak_w, 1, 0, 1e5, "while it reads a prompt"},
    };
}

std::string name_of(const Field& field) {
    return field.section[0] == '\0' ? field.key : fmt::format("{}.{}", field.section, field.key);
}

std::string name_of(std::string_view section, std::string_view key) {
    return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

class Reader {
  public:
    Reader(MachineProfile& profile, const std::string& path)
        : profile_(profile), path_(path), fields_(fields_of(profile)) {}

    void read(const Json& all) {
        if (!all.is_object()) throw error("profile", "is not an object: { ... }");
        for (const auto& [key, value] : all.items()) {
            if (key == "name") {
                if (!value.is_string()) throw error("name", "is not a text: \"...\"");
                profile_.name = value.get<std::string>();
            } else if (value.is_object()) {
                for (const auto& [inner, number] : value.items()) set(key, inner, number);
            } else {
                set("", key, value);
            }
        }
    }

  private:
    [[nodiscard]] FormatError error(const std::string& field, const std::string& problem) const {
        return {path_, printable(field), std::nullopt, problem};
    }

    void set(std::string_view section, const std::string& key, const Json& value) {
        for (const Field& field : fields_) {
            if (field.section != section || field.key != key) continue;
            if (!value.is_number()) throw error(name_of(field), "is not a number");
            const auto number = value.get<double>();
            if (!(number >= field.least && number <= field.most))
                throw error(name_of(field), fmt::format("is {}, which is not from {} to {}", number,
                                                        field.least, field.most));
            *field.member = number * field.unit;
            return;
        }
        throw error(name_of(section, key), "is not known; hostfiles/pi4.json has all there are");
    }

    MachineProfile& profile_;
    const std::string& path_;
    std::vector<Field> fields_;
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

} // namespace

namespace {

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

} // namespace

MachineProfile parse_profile(const std::string& text, const std::string& path,
                             const MachineProfile& base) {
    MachineProfile profile = base;
    try {
        constexpr bool comments_too = true;
        Reader(profile, path).read(Json::parse(text, nullptr, true, comments_too));
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
                          "a number is too large to be stored; no field goes beyond 1e7");
    }
    return profile;
}

MachineProfile read_profile(const std::string& path, const MachineProfile& base) {
    return parse_profile(read_all(path), path, base);
}

std::string profile_text(const MachineProfile& profile, std::span<const std::string> header) {
    MachineProfile copy = profile;
    const std::vector<Field> fields = fields_of(copy);
    std::string text;
    for (const std::string& line : header) text += fmt::format("// {}\n", printable(line, 400));
    const Json name(profile.name);
    text += fmt::format("{{\n    \"name\": {},\n",
                        name.dump(-1, ' ', false, Json::error_handler_t::replace));
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const Field& field = fields[i];
        const std::string_view section = field.section;
        const bool is_first = i == 0 || section != fields[i - 1].section;
        const bool is_last = i + 1 == fields.size() || section != fields[i + 1].section;
        if (is_first && !section.empty()) text += fmt::format("    \"{}\": {{\n", section);
        text += fmt::format("{:{}}\"{}\": {:.6g}{} // {}\n", "", section.empty() ? 4 : 8, field.key,
                            *field.member / field.unit, is_last && !section.empty() ? "" : ",",
                            field.comment);
        if (is_last && !section.empty())
            text += fmt::format("    }}{}\n", i + 1 == fields.size() ? "" : ",");
    }
    return text + "}\n";
}

} // namespace pillar::perf
