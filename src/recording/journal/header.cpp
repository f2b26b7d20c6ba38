// The header's payload, which says whether this pillar can read the journal at all.

#include "journal/records.hpp"
#include "packing.hpp"
#include "pillar/trace/fields.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/hash.hpp"

#include <fmt/core.h>

namespace pillar::recording {

namespace {

/// Changes with what is recorded of a step and of shares, so that a new field needs no new version.
std::uint64_t layout_of_steps() {
    std::string names = fmt::format("{}", sizeof(StepHead));
    for (const auto& field : trace::step_fields()) names.append(" ").append(field.name);
    for (const auto& field : trace::rank_fields()) names.append(" ").append(field.name);
    for (const auto& field : trace::share_fields()) names.append(" ").append(field.name);
    for (const auto& key : trace::configuration_keys) names.append(" ").append(key.name);
    return hash_bytes(std::as_bytes(std::span(names)));
}

/// Of every key in the table's order whether it has a value, and the value.
void pack(Packer& out, const trace::Configuration& config) {
    for (std::size_t i = 0; i < trace::configuration_keys.size(); ++i) {
        const auto& value = config.at(i);
        out.value(static_cast<std::uint8_t>(value ? 1 : 0));
        if (!value) continue;
        if (const auto* text = std::get_if<std::string>(&*value)) out.text(*text);
        if (const auto* integer = std::get_if<std::int64_t>(&*value)) out.value(*integer);
        if (const auto* number = std::get_if<double>(&*value)) out.value(*number);
    }
}

storage::Value unpack_value(Unpacker& in, trace::ValueType type) {
    switch (type) {
    case trace::ValueType::text:
        return in.text();
    case trace::ValueType::integer:
        return in.value<std::int64_t>();
    case trace::ValueType::number:
        break;
    }
    return in.value<double>();
}

trace::Configuration unpack_configuration(Unpacker& in) {
    trace::Configuration config;
    for (std::size_t i = 0; i < trace::configuration_keys.size(); ++i) {
        const auto has_value = in.value<std::uint8_t>();
        if (has_value > 1) in.fail();
        if (has_value == 1 &&
            !config.set_at(i, unpack_value(in, trace::configuration_keys[i].type)))
            in.fail();
    }
    return config;
}

} // namespace

std::string encode(const Header& header) {
    Packer out;
    out.value(header.version);
    out.value(layout_of_steps());
    out.value(header.n_ranks);
    out.value(header.created_s);
    out.value(header.origin_s);
    out.text(header.title);
    out.text(header.software);
    out.text(header.software_version);
    out.text(header.git_revision);
    out.text(header.command_line);
    pack(out, header.config);
    out.list(header.shares);
    return out.take();
}

Header decode_header(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "header");
    Header header;
    header.version = in.value<std::uint32_t>();
    const auto refuse = [&](const std::string& what) {
        throw FormatError(origin.file, "version", origin.offset,
                          what + ": recover it with the pillar that wrote it");
    };
    if (header.version != journal_version)
        refuse(fmt::format("is {}; this pillar reads journals of version {}", header.version,
                           journal_version));
    if (in.value<std::uint64_t>() != layout_of_steps())
        refuse(fmt::format("is {}, but other things are recorded of a step than by this pillar",
                           header.version));
    header.n_ranks = in.value<std::uint32_t>();
    header.created_s = in.value<double>();
    header.origin_s = in.value<double>();
    header.title = in.text();
    header.software = in.text();
    header.software_version = in.text();
    header.git_revision = in.text();
    header.command_line = in.text();
    header.config = unpack_configuration(in);
    header.shares = in.list<trace::RankShare>();
    in.expect_end();
    constexpr std::uint32_t max_ranks = 1u << 20;
    if (header.n_ranks == 0 || header.n_ranks > max_ranks) in.fail();
    return header;
}

} // namespace pillar::recording
