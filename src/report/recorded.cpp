#include "recorded.hpp"

#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::report {

namespace {

perf::RankCost cost_of(const trace::RankShare& share) {
    return {{.layer_bytes = share.layer_bytes,
             .heads_bytes = share.heads_bytes,
             .output_bytes = share.output_bytes,
             .layer_macs = share.layer_macs,
             .output_macs = share.output_macs,
             .kv_bytes = share.kv_bytes,
             .expert_bytes = share.expert_bytes,
             .n_experts = share.n_experts,
             .n_experts_used = share.n_experts_used},
            static_cast<std::size_t>(share.n_heads)};
}

/// A share may be nothing, the whole model is not.
bool has_costs(const trace::Trace& trace) {
    return std::ranges::any_of(trace.hosts, [](const trace::Trace::Host& host) {
        return host.share.layer_bytes > 0 && host.share.kv_bytes > 0 && host.share.n_heads > 0;
    });
}

} // namespace

std::vector<Option> options_of(const trace::Trace& trace) {
    std::vector<Option> options;
    for (std::size_t i = 0; i < trace::configuration_keys.size(); ++i) {
        const trace::ConfigurationKey& key = trace::configuration_keys[i];
        if (key.separates_rows) options.push_back({std::string(key.name), trace.config.text_at(i)});
        if (key.name == "split") options.push_back({"split_shares", shares_text(trace)});
    }
    return options;
}

std::string shares_text(const trace::Trace& trace) {
    const std::vector<double> shares = trace.split_shares();
    return shares.empty() ? "even" : joined(shares, ",");
}

std::optional<perf::RunShape> recorded_shape(const trace::Trace& trace) {
    const trace::Configuration& config = trace.config;
    const auto n_layers = config.get<"n_layers">();
    const auto dim = config.get<"dim">();
    const auto head_dim = config.get<"head_dim">();
    const auto border_bytes = config.get<"allreduce_border_bytes">();
    const auto shorter = comm::algorithm_named(config.text<"allreduce_decode">());
    const auto longer = comm::algorithm_named(config.text<"allreduce_prompt">());
    const auto wire = comm::wire_named(config.text<"wire">());
    const auto is_count = [](const std::optional<std::int64_t>& n) { return n && *n >= 0; };
    if (!is_count(n_layers) || !is_count(dim) || !is_count(head_dim) || !is_count(border_bytes) ||
        !shorter || !longer || !wire || !has_costs(trace))
        return std::nullopt;
    perf::RunShape shape;
    shape.h.n_layers = static_cast<std::size_t>(*n_layers);
    shape.h.dim = static_cast<std::size_t>(*dim);
    shape.h.head_dim = static_cast<std::size_t>(*head_dim);
    // Traces from before there were windows say nothing of them.
    const auto window = std::max<std::int64_t>(0, config.get<"window">().value_or(0));
    const auto n_windows =
        std::clamp<std::int64_t>(config.get<"n_window_layers">().value_or(0), 0, *n_layers);
    const auto n_joint =
        std::clamp<std::int64_t>(config.get<"n_joint_norm_layers">().value_or(0), 0, *n_layers);
    shape.h.layers.resize(static_cast<std::size_t>(std::max(n_windows, n_joint)));
    for (std::size_t layer = 0; layer < shape.h.layers.size(); ++layer) {
        if (std::cmp_less(layer, n_windows))
            shape.h.layers[layer].window = static_cast<std::size_t>(window);
        if (std::cmp_less(layer, n_joint)) shape.h.layers[layer].head_norm = model::HeadNorm::joint;
    }
    shape.allreduce = {*shorter, *longer, static_cast<std::size_t>(*border_bytes) / sizeof(float)};
    shape.wire = *wire;
    for (const trace::Trace::Host& host : trace.hosts) shape.ranks.push_back(cost_of(host.share));
    return shape;
}

} // namespace pillar::report
