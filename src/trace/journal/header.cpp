// The header's payload, which says whether this pillar can read the journal at all.

#include "pillar/trace/records.hpp"

#include "packing.hpp"

#include "pillar/core/text.hpp"
#include "pillar/core/errors.hpp"

#include <fmt/format.h>

namespace pillar::trace {

namespace {

/// Of every key in the table's order whether it has a value, and the value.
void pack(Packer& out, const Configuration& config) {
    for (std::size_t i = 0; i < configuration_keys.size(); ++i) {
        const auto& value = config.at(i);
        out.value(static_cast<std::uint8_t>(value ? 1 : 0));
        if (!value) continue;
        if (const auto* text = std::get_if<std::string>(&*value)) out.text(*text);
        if (const auto* integer = std::get_if<std::int64_t>(&*value)) out.value(*integer);
        if (const auto* number = std::get_if<double>(&*value)) out.value(*number);
    }
}

storage::Value unpack_value(Unpacker& in, ValueType type) {
    switch (type) {
    case ValueType::text:
        return in.text();
    case ValueType::integer:
        return in.value<std::int64_t>();
    case ValueType::number:
        break;
    }
    return in.value<double>();
}

Configuration unpack_configuration(Unpacker& in) {
    Configuration config;
    for (std::size_t i = 0; i < configuration_keys.size(); ++i) {
        const auto has_value = in.value<std::uint8_t>();
        if (has_value > 1) in.fail();
        if (has_value == 1 && !config.set_at(i, unpack_value(in, configuration_keys[i].type)))
            in.fail();
    }
    return config;
}

} // namespace

std::string encode(const Header& header) {
    Packer out;
    out.value(header.version);
    out.value<std::uint32_t>(sizeof(StepHead));
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
    if (const auto n_bytes = in.value<std::uint32_t>(); n_bytes != sizeof(StepHead))
        refuse(fmt::format("is {} with {} a step; this pillar has {}", header.version,
                           counted(n_bytes, "byte"), sizeof(StepHead)));
    header.n_ranks = in.value<std::uint32_t>();
    header.created_s = in.value<double>();
    header.origin_s = in.value<double>();
    header.title = in.text();
    header.software = in.text();
    header.software_version = in.text();
    header.git_revision = in.text();
    header.command_line = in.text();
    header.config = unpack_configuration(in);
    header.shares = in.list<RankShare>();
    in.expect_end();
    constexpr std::uint32_t most_ranks = 1u << 20;
    if (header.n_ranks == 0 || header.n_ranks > most_ranks) in.fail();
    return header;
}

} // namespace pillar::trace
