#include "facts_json.hpp"

#include <nlohmann/json.hpp>
#include <optional>

/// Absent is null.
template <class T>
struct nlohmann::adl_serializer<std::optional<T>> {
    template <class AnyJson>
    static void to_json(AnyJson& json, const std::optional<T>& value) {
        if (value)
            json = *value;
        else
            json = nullptr;
    }
    template <class AnyJson>
    static void from_json(const AnyJson& json, std::optional<T>& value) {
        value = json.is_null() ? std::nullopt : std::optional<T>(json.template get<T>());
    }
};

namespace pillar::check {

using Json = nlohmann::json; // what these macros know

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(IdentityFacts, rank, host, machine, network, program, mpi)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ModelFacts, is_asked, name, code, problem, hash, file_bytes,
                                   cached_bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LinkFacts, name, state, speed_mbit_per_s, duplex, is_wireless,
                                   energy_efficient, receive_delay_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CpuFacts, cpu, speed, is_used)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ProcessFacts, process, name, cpus, on, shares)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NodeFacts, board, cpu, n_cpus, n_threads, kernels, families,
                                   instructions, cpus, memory_bytes, available_bytes, limited_by,
                                   need_bytes, weight_bytes, shortage, governor, max_clock_mhz,
                                   clock_mhz, temperature_c, throttled, supply_v, other_cpus,
                                   process, others, read_bytes_per_s, products_per_s, barrier_s,
                                   f32_summing_s, f16_summing_s, q8_summing_s, clock_offset_s,
                                   clock_uncertainty_s, named_interfaces, links)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PairFacts, a, b, latency_s, s_per_byte, s_per_byte_both_ways,
                                   s_per_byte_long, stored_s_per_byte, residual, carrier_a,
                                   carrier_b, n_short, n_stalls, longest_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AllreduceFacts, what, algorithm, n_bytes, time_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OverlapFacts, sum_s, computing_s, together_s, hidden_share,
                                   delay_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ClusterFacts, identities, models, nodes, pairs, allreduces,
                                   overlap, binding_warning)

namespace {

std::string text_of(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string to_json(const IdentityFacts& facts) {
    return text_of(facts);
}
std::string to_json(const ModelFacts& facts) {
    return text_of(facts);
}
std::string to_json(const NodeFacts& facts) {
    return text_of(facts);
}
std::string to_json(const std::vector<PairFacts>& facts) {
    return text_of(facts);
}

void from_json(const std::string& text, IdentityFacts& facts) {
    Json::parse(text).get_to(facts);
}
void from_json(const std::string& text, ModelFacts& facts) {
    Json::parse(text).get_to(facts);
}
void from_json(const std::string& text, NodeFacts& facts) {
    Json::parse(text).get_to(facts);
}
void from_json(const std::string& text, std::vector<PairFacts>& facts) {
    Json::parse(text).get_to(facts);
}

std::string check_json(const ClusterFacts& facts, const std::vector<Verdict>& verdicts) {
    Json list = Json::array();
    for (const Verdict& verdict : verdicts)
        list.push_back({{"level", name_of(verdict.level)},
                        {"about", verdict.about},
                        {"text", verdict.text},
                        {"code", static_cast<int>(verdict.code)}});
    const Json all = {{"exit_code", static_cast<int>(exit_code_of(verdicts))},
                      {"verdicts", list},
                      {"facts", facts}};
    return text_of(all, 2) + "\n";
}

} // namespace pillar::check
