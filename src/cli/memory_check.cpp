#include "memory_check.hpp"

#include "progress.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/telemetry/memory.hpp"

#include <fmt/format.h>

namespace pillar::cli {

namespace {

constexpr int most_ranks = 64; ///< looked at when saying what would fit

/// "12 ranks" or "--ctx-size 2048" with which every rank would stay below `available` bytes; ranks
/// alone on their host.
std::string what_fits(NeedOf need, int n_ranks, std::size_t n_context, std::uint64_t available) {
    std::string advice;
    for (std::size_t context = n_context / 2; context >= 256 && advice.empty(); context /= 2)
        if (need(0, n_ranks, context).total() <= available)
            advice = fmt::format("--ctx-size {} fits", context);
    for (int ranks = n_ranks + 1; ranks <= most_ranks; ++ranks) {
        if (need(0, ranks, n_context).total() > available) continue;
        return fmt::format("{}{}{} ranks on as many such hosts fit", advice,
                           advice.empty() ? "" : ", or ", ranks);
    }
    return advice.empty() ? "use a smaller model or a smaller format" : advice;
}

} // namespace

void expect_memory(comm::Communicator& comm, NeedOf need, std::size_t n_context) {
    const model::MemoryNeed own = need(comm.rank(), comm.size(), n_context);
    const std::vector<std::string> needs = comm.all_gather(fmt::format("{}", own.total()));
    comm::agree(comm, [&] {
        std::uint64_t host_need = 0;
        int n_here = 0;
        for (int rank = 0; rank < comm.size(); ++rank) {
            if (comm.host(rank) != comm.host(comm.rank())) continue;
            host_need += std::stoull(needs[static_cast<std::size_t>(rank)]);
            ++n_here;
        }
        const telemetry::AvailableMemory available = telemetry::read_available_memory();
        if (host_need <= available.bytes) return;
        const auto bytes = [](std::uint64_t n) { return human_bytes(static_cast<double>(n)); };
        throw Error(ExitCode::refused,
                    fmt::format("{} needs {} for {} rank{} (rank {}: weights {}, KV cache {}, "
                                "buffers {}) but has {} "
                                "available ({}); {}",
                                comm.host(comm.rank()), bytes(host_need), n_here,
                                n_here == 1 ? "" : "s", comm.rank(), bytes(own.weights),
                                bytes(own.kv_cache), bytes(own.buffers), bytes(available.bytes),
                                available.limited_by,
                                what_fits(need, comm.size(), n_context,
                                          available.bytes / static_cast<std::uint64_t>(n_here))));
    });
}

} // namespace pillar::cli
