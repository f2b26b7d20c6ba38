#include "pillar/session/placement.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/measure/product_rate.hpp"
#include "pillar/session/memory_check.hpp"
#include "pillar/trace/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/core.h>
#include <map>
#include <numeric>

namespace pillar::session {

namespace {

constexpr double measuring_s = 0.6; ///< long enough to see how a busy core is shared

/// Numbers separated by commas; nothing when the text is anything else.
std::vector<double> parse_weights(const std::string& text) {
    std::vector<double> weights;
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
        double value = 0;
        const auto [next, error] = std::from_chars(at, end, value);
        if (error != std::errc()) return {};
        weights.push_back(value);
        if (next == end) return weights;
        if (*next != ',') return {};
        at = next + 1;
    }
}

std::vector<double> normalised(std::span<const double> weights) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<double> shares;
    for (const double weight : weights) shares.push_back(weight / sum);
    return shares;
}

std::vector<std::string> hosts_of(const comm::Communicator& comm) {
    std::vector<std::string> hosts;
    for (int rank = 0; rank < comm.size(); ++rank) hosts.emplace_back(comm.host(rank));
    return hosts;
}

/// "pi1 0.34, pi2 0.66"
std::string shares_of_hosts(std::span<const double> weights, std::span<const std::string> hosts) {
    std::vector<std::string> parts;
    const std::vector<double> shares = normalised(weights);
    for (std::size_t r = 0; r < shares.size(); ++r)
        parts.push_back(fmt::format("{} {:.3g}", hosts[r], shares[r]));
    return joined(parts, ", ");
}

void expect_one_a_rank(std::size_t n, const comm::Communicator& comm, const std::string& what) {
    if (n == static_cast<std::size_t>(comm.size())) return;
    throw UsageError(fmt::format("{} has {}, but there {} {}: give one a rank", what,
                                 counted(n, "share"), comm.size() == 1 ? "is" : "are",
                                 counted(static_cast<std::size_t>(comm.size()), "rank")));
}

/// Collective. Rank 0 reads what the trace has recorded.
std::vector<double> recorded_weights(comm::Communicator& comm, const std::string& path) {
    std::vector<double> weights;
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        weights = trace::read_configuration(path).split_shares();
        if (weights.empty()) return; // even
        if (!std::ranges::all_of(weights, [](double w) { return std::isfinite(w) && w >= 0; }) ||
            std::accumulate(weights.begin(), weights.end(), 0.0) <= 0)
            throw FormatError(path, "the ranks' shares", std::nullopt,
                              fmt::format("are {}, which divides no model", weights_text(weights)));
        expect_one_a_rank(weights.size(), comm, "--split " + printable(path));
    });
    return comm::broadcast_from_root(comm, weights);
}

/// What one rank tells the others.
struct Measured {
    double bytes_per_s = 0;
    std::uint64_t available = 0;
    std::int64_t n_threads = 1;
};

/// Collective. All ranks measure at once: those that share a node's cores and memory share them
/// now as they will.
std::vector<Measured> measure_all(comm::Communicator& comm, const PlacementInputs& inputs) {
    const std::uint64_t available = available_to_rank(comm).bytes;
    std::optional<measure::ProductRate> rate;
    comm::agree(comm, [&] {
        const std::uint64_t n_bytes =
            std::min<std::uint64_t>(measure::product_bytes, available / 4);
        rate.emplace(inputs.family, main_type(inputs.file), inputs.team, n_bytes);
    });
    comm.barrier();
    const double bytes_per_s = rate->measure(inputs.team, measuring_s);
    return comm::all_gather(comm, Measured{bytes_per_s, available, inputs.team.size()});
}

/// Collective. Rank 0 assigns; its numbers are everybody's.
Placement assign(comm::Communicator& comm, const PlacementInputs& inputs) {
    Placement placement;
    const std::vector<Measured> all = measure_all(comm, inputs);
    std::vector<std::uint64_t> available;
    for (const Measured& one : all) {
        placement.bytes_per_s.push_back(one.bytes_per_s);
        available.push_back(one.available);
    }
    comm::agree(comm, [&] {
        if (!comm.is_root()) return;
        const auto need = [&](int rank, std::span<const double> weights) {
            const std::int64_t n_threads = all[static_cast<std::size_t>(rank)].n_threads;
            return inputs.need(rank, static_cast<int>(n_threads), weights);
        };
        const partition::Assignment assignment =
            partition::assign_by_speed(placement.bytes_per_s, available, need);
        placement.explanation = explain(assignment, placement.bytes_per_s, hosts_of(comm));
        placement.weights = assignment.weights;
    });
    placement.weights = comm::broadcast_from_root(comm, placement.weights);
    return placement;
}

} // namespace

SplitRequest parse_split(const std::string& text) {
    if (text == "even") return {};
    if (text == "auto") return {SplitKind::automatic};
    if (text.ends_with(".h5")) return {SplitKind::file, {}, text};
    SplitRequest request{SplitKind::list, parse_weights(text), {}};
    const bool all_positive = std::ranges::all_of(
        request.weights, [](double weight) { return std::isfinite(weight) && weight > 0; });
    const double sum = std::accumulate(request.weights.begin(), request.weights.end(), 0.0);
    if (request.weights.empty() || !all_positive || !std::isfinite(sum))
        throw UsageError(
            fmt::format("--split {}: give even, auto, one positive number a rank as in "
                        "0.3,0.7, or the .h5 trace of a run to split as it did",
                        printable(text)));
    return request;
}

std::string split_text(const SplitRequest& request) {
    switch (request.kind) {
    case SplitKind::automatic:
        return "auto";
    case SplitKind::file:
        return request.path;
    case SplitKind::even:
    case SplitKind::list:
        break;
    }
    return weights_text(request.weights);
}

std::string weights_text(std::span<const double> weights) {
    return weights.empty() ? "even" : joined(weights, ",");
}

quant::Type main_type(const gguf::File& file) {
    std::map<const quant::TypeInfo*, std::uint64_t> bytes;
    for (const gguf::TensorInfo& tensor : file.tensors())
        if (tensor.n_rows() > 1 && tensor.type->decode != nullptr)
            bytes[tensor.type] += tensor.size_bytes;
    if (bytes.empty()) return quant::Type::f32; // loading will say what is wrong
    const auto most = std::ranges::max_element(
        bytes, [](const auto& a, const auto& b) { return a.second < b.second; });
    return static_cast<quant::Type>(most->first->number);
}

std::string explain(const partition::Assignment& assignment, std::span<const double> bytes_per_s,
                    std::span<const std::string> hosts) {
    std::vector<std::string> speeds;
    for (const double speed : bytes_per_s) speeds.push_back(fmt::format("{:.3g}", speed * 1e-9));
    const std::string measured = fmt::format("speeds {} GB/s", joined(speeds, ", "));
    if (assignment.weights.empty())
        return assignment.speeds_are_equal
                   ? fmt::format("auto: even ({} differ by less than {:.0f} %)", measured,
                                 partition::min_difference * 100)
                   : fmt::format("auto: even ({})", measured);
    std::vector<std::string> full;
    for (const int rank : assignment.full) full.push_back(hosts[static_cast<std::size_t>(rank)]);
    return fmt::format("auto: {} ({}{})", shares_of_hosts(assignment.weights, hosts), measured,
                       full.empty() ? ""
                                    : fmt::format("; {} limited by memory", joined(full, ", ")));
}

Placement choose_placement(comm::Communicator& comm, const SplitRequest& request,
                           const PlacementInputs& inputs) {
    Placement placement;
    switch (request.kind) {
    case SplitKind::even:
        return placement;
    case SplitKind::automatic:
        if (comm.size() == 1) return placement;
        return assign(comm, inputs);
    case SplitKind::list:
        comm::agree(comm, [&] {
            expect_one_a_rank(request.weights.size(), comm, "--split " + split_text(request));
        });
        placement.weights = request.weights;
        break;
    case SplitKind::file:
        placement.weights = recorded_weights(comm, request.path);
        break;
    }
    const std::vector<std::string> hosts = hosts_of(comm);
    placement.explanation = fmt::format(
        "{}{}", placement.weights.empty() ? "even" : shares_of_hosts(placement.weights, hosts),
        request.kind == SplitKind::file ? fmt::format(" (as in {})", printable(request.path)) : "");
    return placement;
}

} // namespace pillar::session
