#include "pillar/session/memory_check.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/hash.hpp"
#include "pillar/core/text.hpp"
#include "pillar/measure/allreduce.hpp"
#include "pillar/telemetry/memory.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::session {

namespace {

constexpr int max_ranks = 64; ///< looked at when saying what would fit
constexpr std::size_t min_context = 256;

/// What Open MPI maps for each further rank of a job, above what was measured (4.2 MB, and 8.5 for
/// the second): it leaves less of an address-space limit to the ranks of a larger job.
constexpr std::uint64_t mapped_a_rank = std::uint64_t{5} << 20;
constexpr std::uint64_t mapped_for_several = std::uint64_t{8} << 20;

/// As it travels to the other ranks.
struct Limit {
    std::uint64_t bytes = 0;
    std::uint64_t shared_under = 0; ///< hash of the name; 0: of the rank alone
};

Limit limit_of(const telemetry::MemoryLimit& limit) {
    return {limit.bytes,
            limit.shared_under.empty() ? 0 : hash_of(std::span<const char>(limit.shared_under))};
}

/// What limits a rank.
struct Claim {
    std::string machine;
    std::vector<Limit> limits;
};

/// The ranks that draw on a limit of rank `own`.
std::vector<int> ranks_under(const Limit& limit, const std::vector<Claim>& claims, int own) {
    if (limit.shared_under == 0) return {own};
    std::vector<int> ranks;
    for (int rank = 0; rank < static_cast<int>(claims.size()); ++rank) {
        const Claim& claim = claims[static_cast<std::size_t>(rank)];
        if (claim.machine == claims[static_cast<std::size_t>(own)].machine &&
            std::ranges::find(claim.limits, limit.shared_under, &Limit::shared_under) !=
                claim.limits.end())
            ranks.push_back(rank);
    }
    return ranks;
}

/// Collective. What limits every rank, and what it shares with whom.
std::vector<Claim> all_claims(comm::Communicator& comm,
                              const std::vector<telemetry::MemoryLimit>& limits) {
    std::vector<Limit> mine;
    for (const telemetry::MemoryLimit& limit : limits) mine.push_back(limit_of(limit));
    std::vector<Claim> claims;
    for (const comm::RankCpus& rank : comm::all_cpus(comm)) claims.push_back({rank.machine, {}});
    const std::vector<std::vector<Limit>> all = comm::all_gather(comm, mine);
    for (std::size_t rank = 0; rank < claims.size(); ++rank) claims[rank].limits = all[rank];
    return claims;
}

/// Of the limits of rank `own`, each divided by the ranks under it, the smallest; without limits as
/// telemetry::read_available_memory().
telemetry::AvailableMemory min_available(const std::vector<telemetry::MemoryLimit>& limits,
                                         const std::vector<Claim>& claims, int own) {
    telemetry::AvailableMemory least = telemetry::nothing_known();
    for (const telemetry::MemoryLimit& limit : limits) {
        const std::uint64_t each = limit.bytes / ranks_under(limit_of(limit), claims, own).size();
        if (each < least.bytes) least = {each, limit.limited_by};
    }
    return least;
}

/// Memory of all-reduces of up to `n_floats`, whatever auto will choose.
std::size_t allreduce_bytes(const ModelOptions& options, int n_ranks, std::size_t n_floats) {
    const comm::Wire wire = options.wire;
    if (options.allreduce)
        return comm::allreduce_buffer_bytes(*options.allreduce, wire, n_ranks, n_floats);
    std::size_t most = 0;
    for (const comm::Algorithm algorithm : measure::candidates(wire, n_ranks, n_floats))
        most = std::max(most, comm::allreduce_buffer_bytes(algorithm, wire, n_ranks, n_floats));
    return most;
}

std::uint64_t needed_by(const std::vector<int>& ranks, const std::vector<std::uint64_t>& needs) {
    std::uint64_t together = 0;
    for (const int rank : ranks) together += needs[static_cast<std::size_t>(rank)];
    return together;
}

/// Whether the ranks that there are would all have room for `needs`.
bool all_fit(const std::vector<Claim>& claims, const std::vector<std::uint64_t>& needs) {
    for (int rank = 0; rank < static_cast<int>(claims.size()); ++rank)
        for (const Limit& limit : claims[static_cast<std::size_t>(rank)].limits)
            if (needed_by(ranks_under(limit, claims, rank), needs) > limit.bytes) return false;
    return true;
}

std::vector<std::uint64_t> needs_of_all(NeedOf need, int n_ranks, std::size_t n_context) {
    std::vector<std::uint64_t> needs;
    for (int rank = 0; rank < n_ranks; ++rank)
        needs.push_back(need(rank, n_ranks, n_context).total());
    return needs;
}

/// Whether each of `n_ranks` ranks would have room on a host of its own like that of rank `own`.
bool fit_on_hosts_like(const std::vector<Claim>& claims, int own, NeedOf need, int n_ranks,
                       std::size_t n_context) {
    const int n_now = static_cast<int>(claims.size());
    const std::uint64_t mapped = static_cast<std::uint64_t>(n_ranks - n_now) * mapped_a_rank +
                                 (n_now == 1 ? mapped_for_several : 0);
    for (int rank = 0; rank < n_ranks; ++rank) {
        const std::uint64_t needed = need(rank, n_ranks, n_context).total();
        for (const Limit& limit : claims[static_cast<std::size_t>(own)].limits)
            if (needed + (limit.shared_under == 0 ? mapped : 0) > limit.bytes) return false;
    }
    return true;
}

/// The smallest number of ranks above the present one with which all would have room; 0: none.
int ranks_that_fit(NeedOf need, const std::vector<Claim>& claims, int own, std::size_t n_context) {
    for (int ranks = static_cast<int>(claims.size()) + 1; ranks <= max_ranks; ++ranks)
        if (fit_on_hosts_like(claims, own, need, ranks, n_context)) return ranks;
    return 0;
}

/// The largest of `n_context` / 2, / 4 … that `fits`; 0: none down to the smallest.
std::size_t context_that_fits(std::size_t n_context, FunctionRef<bool(std::size_t)> fits) {
    for (n_context /= 2; n_context >= min_context; n_context /= 2)
        if (fits(n_context)) return n_context;
    return 0;
}

/// "--ctx-size 2048 fits, or 12 ranks on as many such hosts fit": with either, every rank has room.
/// Where neither alone helps, both together.
std::string what_fits(NeedOf need, const std::vector<Claim>& claims, int own,
                      std::size_t n_context) {
    const int n_ranks = static_cast<int>(claims.size());
    const std::size_t context = context_that_fits(n_context, [&](std::size_t smaller) {
        return all_fit(claims, needs_of_all(need, n_ranks, smaller));
    });
    const int ranks = ranks_that_fit(need, claims, own, n_context);
    if (context != 0 && ranks != 0)
        return fmt::format("--ctx-size {} fits, or {} ranks on as many such hosts fit", context,
                           ranks);
    if (context != 0) return fmt::format("--ctx-size {} fits", context);
    if (ranks != 0) return fmt::format("{} ranks on as many such hosts fit", ranks);

    const int fewest = ranks_that_fit(need, claims, own, std::min(min_context, n_context));
    if (fewest == 0) return "use a smaller model or a smaller format";
    const std::size_t shorter = context_that_fits(n_context, [&](std::size_t smaller) {
        return fit_on_hosts_like(claims, own, need, fewest, smaller);
    });
    return fmt::format("{} ranks on as many such hosts fit with --ctx-size {}", fewest,
                       std::max(shorter, std::min(min_context, n_context)));
}

std::string bytes(std::uint64_t n) {
    return human_bytes(static_cast<double>(n));
}

} // namespace

forward::MemoryNeed rank_need(const gguf::File& file, const model::Hyperparameters& h,
                              const kernels::Family& family, const ModelOptions& options,
                              const forward::TransformerOptions& wanted,
                              const engine::LoopOptions& loop, int n_threads, int rank, int n_ranks,
                              std::span<const double> weights) {
    const partition::Share share = partition::share_of(h.sizes(), rank, n_ranks, weights);
    forward::MemoryNeed need = forward::memory_need(file, h, share, family, wanted, n_threads);
    need.buffers += engine::loop_bytes(h.sizes(), share, wanted, loop, n_threads);
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
    return min_available(limits, all_claims(comm, limits), comm.rank());
}

MemoryReport examine_memory(comm::Communicator& comm, NeedOf need, std::size_t n_context) {
    MemoryReport report;
    const int own = comm.rank();
    std::vector<telemetry::MemoryLimit> limits;
    comm::agree(comm, [&] {
        report.need = need(own, comm.size(), n_context);
        report.in_use = telemetry::read_process_memory().resident_bytes;
        limits = telemetry::read_memory_limits();
    });
    const std::vector<Claim> claims = all_claims(comm, limits);
    const std::vector<std::uint64_t> needs =
        comm::all_gather<std::uint64_t>(comm, report.need.total());
    report.available = min_available(limits, claims, own);

    comm::agree(comm, [&] {
        for (const telemetry::MemoryLimit& limit : limits) {
            const std::vector<int> ranks = ranks_under(limit_of(limit), claims, own);
            const std::uint64_t together = needed_by(ranks, needs);
            if (together <= limit.bytes) continue;
            report.shortage = fmt::format(
                "{} needs {} for {} (rank {}: weights {}, KV cache {}, buffers {}) but has {} "
                "available ({}); {}",
                comm.host(own), bytes(together), counted(ranks.size(), "rank"), own,
                bytes(report.need.weights), bytes(report.need.kv_cache), bytes(report.need.buffers),
                bytes(limit.bytes), limit.limited_by, what_fits(need, claims, own, n_context));
            return;
        }
    });
    return report;
}

MemoryReport expect_memory(comm::Communicator& comm, NeedOf need, std::size_t n_context) {
    MemoryReport report = examine_memory(comm, need, n_context);
    comm::agree(comm, [&] {
        if (!report.shortage.empty()) throw Error(ExitCode::refused, report.shortage);
    });
    return report;
}

} // namespace pillar::session
