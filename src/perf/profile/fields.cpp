#include "fields.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::perf {

std::string field_name(std::string_view section, std::string_view key) {
    return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

std::string ProfileField::name() const {
    return field_name(section, key);
}

std::vector<ProfileField> fields_of(MachineProfile& p) {
    constexpr double giga = 1e9, micro = 1e-6, nano = 1e-9;
    NetworkProfile& n = p.network;
    return {
        {"", "threads", &p.n_threads, 1, 1, 4096, "of a node, all used"},
        {"memory", "available_gb", &p.available_bytes, giga, 1e-3, 1e5,
         "for weights, KV cache and buffers"},
        {"memory", "read_gb_per_s", &p.read_bytes_per_s, giga, 1e-2, 1e4, "linear, all threads"},
        {"memory", "efficiency", &p.read_efficiency, 1, 1e-2, 1,
         "share of it that decoding reaches"},
        {"arithmetic", "int8_gmac_per_s", &p.macs_per_s, giga, 1e-2, 1e6,
         "int8 multiply-adds, all threads"},
        {"arithmetic", "int8_efficiency", &p.mac_efficiency, 1, 1e-2, 1,
         "share of it that prompts reach"},
        {"arithmetic", "grid_gmac_per_s", &p.grid_macs_per_s, giga, 1e-3, 1e6,
         "of weights in IQ1, IQ2 and IQ3", Presence::optional},
        {"arithmetic", "f32_gmac_per_s", &p.float_macs_per_s, giga, 1e-2, 1e6,
         "f32 multiply-adds, for attention and float weights"},
        {"arithmetic", "f32_efficiency", &p.float_efficiency, 1, 1e-2, 1,
         "share of it that they reach"},
        {"arithmetic", "barrier_us", &p.barrier_s, micro, 0, 1e5, "all threads meeting once"},
        {"network", "latency_us", &n.latency_s, micro, 0, 1e5, "one way, a short message"},
        {"network", "ns_per_byte", &n.s_per_byte, nano, 0, 1e5, "one direction busy"},
        {"network", "ns_per_byte_both_ways", &n.s_per_byte_both_ways, nano, 0, 1e5,
         "both directions busy"},
        {"network", "ns_per_byte_long", &n.s_per_byte_long, nano, 0, 1e5,
         "the same, messages beyond 64 KiB"},
        {"network", "message_overhead_us", &n.message_overhead_s, micro, 0, 1e5,
         "each further message of a rank that sends several"},
        {"network", "store_and_forward_ns_per_byte", &n.store_and_forward_s_per_byte, nano, 0, 1e5,
         "of the first packet, in the switch"},
        {"network", "jitter_us", &n.jitter_s, micro, 0, 1e5,
         "delay of a collective between computing"},
        {"network", "hidden_share", &n.hidden_share, 1, 0, 1,
         "of a long sum's time, that computing meanwhile fills"},
        {"summing", "f32_ns_per_value", &n.reduction.f32_s, nano, 0, 1e5,
         "adding, one thread of a node"},
        {"summing", "f16_ns_per_value", &n.reduction.f16_s, nano, 0, 1e5,
         "encoding, decoding, adding"},
        {"summing", "q8_ns_per_value", &n.reduction.q8_s, nano, 0, 1e5, "the same"},
        {"power", "idle_w", &p.power.idle_w, 1, 0, 1e4, "of a node"},
        {"power", "decode_w", &p.power.decode_w, 1, 0, 1e4, "while it decodes"},
        {"power", "peak_w", &p.power.peak_w, 1, 0, 1e4, "while it reads a prompt"},
        {"price", "node", &p.price, 1, 0, 1e6, "in your money, with what belongs to it",
         Presence::optional},
    };
}

namespace {

const ProfileField& field_in(const std::vector<ProfileField>& fields, std::string_view name) {
    const auto place = std::ranges::find_if(
        fields, [&](const ProfileField& field) { return field.name() == name; });
    expects(place != fields.end(), "a range is that of a field");
    return *place;
}

} // namespace

MachineProfile with_number(const MachineProfile& profile, std::string_view field, double value) {
    MachineProfile changed = profile;
    *field_in(fields_of(changed), field).member = value;
    return changed;
}

double unit_of(std::string_view field) {
    MachineProfile any;
    return field_in(fields_of(any), field).unit;
}

} // namespace pillar::perf
