#include "memory_check.hpp"

#include "progress.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/measure/allreduce.hpp"
#include "pillar/telemetry/memory.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace pillar::cli {

namespace {

constexpr int most_ranks = 64; ///< looked at when saying what would fit

/// What a rank tells the others: what it needs, and under which names it shares limits.
struct Claim {
    std::string machine;
    std::uint64_t need = 0;
    std::vector<std::string> shared_under;
};

std::string encode(std::uint64_t need, const std::vector<telemetry::MemoryLimit>& limits) {
    std::string text = fmt::format("{}", need);
    for (const telemetry::MemoryLimit& limit : limits) text += '\n' + limit.shared_under;
    return text;
}

Claim decode(const std::string& text, std::string machine) {
    Claim claim;
    claim.machine = std::move(machine);
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    claim.need = std::stoull(line);
    while (std::getline(lines, line)) claim.shared_under.push_back(line);
    return claim;
}

/// The ranks that draw on a limit of rank `own`.
std::vector<int> ranks_under(const telemetry::MemoryLimit& limit, const std::vector<Claim>& claims,
                             int own) {
    if (limit.shared_under.empty()) return {own};
    std::vector<int> ranks;
    for (int rank = 0; rank < static_cast<int>(claims.size()); ++rank) {
        const Claim& claim = claims[static_cast<std::size_t>(rank)];
        if (claim.machine == claims[static_cast<std::size_t>(own)].machine &&
            std::ranges::find(claim.shared_under, limit.shared_under) != claim.shared_under.end())
            ranks.push_back(rank);
    }
    return ranks;
}

/// Collective. What every rank needs, and what it shares with whom.
std::vector<Claim> all_claims(comm::Communicator& comm, std::uint64_t need,
                              const std::vector<telemetry::MemoryLimit>& limits) {
    const std::vector<comm::RankCpus> machines = comm::all_cpus(comm);
    const std::vector<std::string> texts = comm.all_gather(encode(need, limits));
    std::vector<Claim> claims;
    for (std::size_t rank = 0; rank < texts.size(); ++rank)
        claims.push_back(decode(texts[rank], machines[rank].machine));
    return claims;
}

/// Of the limits of rank `own`, each divided by the ranks under it, the smallest.
telemetry::AvailableMemory smallest_part(const std::vector<telemetry::MemoryLimit>& limits,
                                         const std::vector<Claim>& claims, int own) {
    telemetry::AvailableMemory least;
    for (const telemetry::MemoryLimit& limit : limits) {
        const std::uint64_t each = limit.bytes / ranks_under(limit, claims, own).size();
        if (least.limited_by.empty() || each < least.bytes) least = {each, limit.limited_by};
    }
    return least;
}

/// Memory of all-reduces of up to `n_floats`, whatever auto will choose.
std::size_t allreduce_bytes(const ModelOptions& options, int n_ranks, std::size_t n_floats) {
    const comm::Wire wire = parse_wire(options.wire);
    if (const auto algorithm = parse_algorithm(options.allreduce))
        return comm::allreduce_buffer_bytes(*algorithm, wire, n_ranks, n_floats);
    std::size_t most = 0;
    for (const comm::Algorithm algorithm : measure::candidates(wire, n_ranks, n_floats))
        most = std::max(most, comm::allreduce_buffer_bytes(algorithm, wire, n_ranks, n_floats));
    return most;
}

/// "12 ranks" or "--ctx-size 2048" with which rank `rank` would stay below `available` bytes; ranks
/// alone on their host.
std::string what_fits(NeedOf need, int rank, int n_ranks, std::size_t n_context,
                      std::uint64_t available) {
    std::string advice;
    for (std::size_t context = n_context / 2; context >= 256 && advice.empty(); context /= 2)
        if (need(rank, n_ranks, context).total() <= available)
            advice = fmt::format("--ctx-size {} fits", context);
    for (int ranks = n_ranks + 1; ranks <= most_ranks; ++ranks) {
        if (need(0, ranks, n_context).total() > available) continue;
        return fmt::format("{}{}{} ranks on as many such hosts fit", advice,
                           advice.empty() ? "" : ", or ", ranks);
    }
    return advice.empty() ? "use a smaller model or a smaller format" : advice;
}

std::string bytes(std::uint64_t n) {
    return human_bytes(static_cast<double>(n));
}

} // namespace

model::MemoryNeed rank_need(const gguf::File& file, const model::Hyperparameters& h,
                            const kernels::Family& family, const ModelOptions& options,
                            const model::TransformerOptions& wanted,
                            const engine::LoopOptions& loop, int n_threads, int rank, int n_ranks,
                            std::span<const double> weights) {
    const partition::Share share = partition::share_of(h.sizes(), rank, n_ranks, weights);
    model::MemoryNeed need = model::memory_need(file, h, share, family, wanted, n_threads);
    need.buffers += engine::loop_bytes(h.sizes(), share, wanted, loop);
    need.buffers += allreduce_bytes(options, n_ranks, wanted.max_rows * h.dim);
    return need;
}

engine::LoopOptions usual_loop() {
    engine::LoopOptions loop;
    loop.n_candidates = sampling::candidates_needed(loop.sampling);
    return loop;
}

telemetry::AvailableMemory available_to_rank(comm::Communicator& comm) {
    const std::vector<telemetry::MemoryLimit> limits = telemetry::read_memory_limits();
    const auto claims = all_claims(comm, 0, limits);
    if (limits.empty()) return telemetry::read_available_memory(); // nothing known
    return smallest_part(limits, claims, comm.rank());
}

MemoryReport expect_memory(comm::Communicator& comm, NeedOf need, std::size_t n_context) {
    MemoryReport report;
    report.need = need(comm.rank(), comm.size(), n_context);
    report.in_use = telemetry::read_process_memory().resident_bytes;
    const std::vector<telemetry::MemoryLimit> limits = telemetry::read_memory_limits();
    const std::vector<Claim> claims = all_claims(comm, report.need.total(), limits);
    report.available = smallest_part(limits, claims, comm.rank());

    comm::agree(comm, [&] {
        for (const telemetry::MemoryLimit& limit : limits) {
            const std::vector<int> ranks = ranks_under(limit, claims, comm.rank());
            std::uint64_t together = 0;
            for (const int rank : ranks) together += claims[static_cast<std::size_t>(rank)].need;
            const std::uint64_t each = limit.bytes / ranks.size();
            if (together <= limit.bytes) continue;
            throw Error(ExitCode::refused,
                        fmt::format("{} needs {} for {} rank{} (rank {}: weights {}, KV cache {}, "
                                    "buffers {}) but has "
                                    "{} available ({}); {}",
                                    comm.host(comm.rank()), bytes(together), ranks.size(),
                                    ranks.size() == 1 ? "" : "s", comm.rank(),
                                    bytes(report.need.weights), bytes(report.need.kv_cache),
                                    bytes(report.need.buffers), bytes(limit.bytes),
                                    limit.limited_by,
                                    what_fits(need, comm.rank(), comm.size(), n_context, each)));
        }
    });
    return report;
}

} // namespace pillar::cli
