// Everything of one node at the same time on all; then pair after pair.

#include "gather.hpp"

#include "facts_json.hpp"
#include "node_facts.hpp"
#include "rules/rules.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/measure/allreduce.hpp"
#include "pillar/measure/delay.hpp"
#include "pillar/measure/network.hpp"
#include "pillar/measure/overlap.hpp"
#include "pillar/model/tensors.hpp"
#include "pillar/session/memory_check.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/telemetry/interfaces.hpp"
#include "pillar/telemetry/memory.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/telemetry/page_cache.hpp"
#include "pillar/telemetry/processes.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>

namespace pillar::check {

namespace {

template <class T>
std::vector<T> all_of(comm::Communicator& comm, const T& mine) {
    std::vector<T> all;
    for (const std::string& text : comm.all_gather(to_json(mine)))
        from_json(text, all.emplace_back());
    return all;
}

/// The model, as far as it can be looked at without loading it.
struct OpenModel {
    std::optional<gguf::File> file;
    model::Hyperparameters h;
};

ModelFacts look_at_model(const session::ModelOptions& options, OpenModel& model) {
    ModelFacts facts;
    facts.is_asked = !options.model.empty() || options.synthetic;
    if (!facts.is_asked) return facts;
    facts.name = session::model_name(options);
    try {
        model.file.emplace(session::open_model_file(options));
        model.h = model::read_hyperparameters(*model.file);
        model::check_tensors(*model.file, model.h);
        facts.hash = fmt::format("{:016x}", model.file->header_hash());
        if (options.synthetic) return facts;
        if (const auto cached = telemetry::read_cached(options.model)) {
            facts.file_bytes = static_cast<double>(cached->n_bytes);
            facts.cached_bytes = static_cast<double>(cached->cached_bytes);
        }
    } catch (const Error& error) {
        facts.code = static_cast<int>(error.code());
        facts.problem = error.what();
    }
    return facts;
}

/// Collective. The pre-flight of a run of the model. A rank without the model needs nothing.
session::MemoryReport look_at_memory(comm::Communicator& comm, const OpenModel& model,
                                     const ModelFacts& facts, const session::ModelOptions& options,
                                     const kernels::Family& family, int n_threads) {
    const bool is_there = facts.is_asked && facts.code == 0;
    forward::TransformerOptions wanted;
    wanted.n_context = is_there ? session::context_of(model.h, options.n_context) : 0;
    wanted.max_rows = options.n_batch;
    wanted.cache_types = options.cache_types;
    const auto need = [&](int rank, int n_ranks, std::size_t n_context) {
        if (!is_there) return forward::MemoryNeed();
        forward::TransformerOptions changed = wanted;
        changed.n_context = n_context;
        return session::rank_need(*model.file, model.h, family, options, changed,
                                  session::usual_loop(), n_threads, rank, n_ranks);
    };
    return session::examine_memory(comm, need, wanted.n_context);
}

/// The interface that took the most of `n_bytes`; "" when none took half of them.
std::string carrier(const std::vector<telemetry::Interface>& before,
                    const std::vector<telemetry::Interface>& after, std::size_t n_bytes) {
    std::string name;
    std::uint64_t most = n_bytes / 2;
    for (const telemetry::Interface& interface : after) {
        const auto old = std::ranges::find(before, interface.name, &telemetry::Interface::name);
        if (old == before.end() || interface.sent_bytes < old->sent_bytes) continue;
        if (interface.sent_bytes - old->sent_bytes <= most) continue;
        most = interface.sent_bytes - old->sent_bytes;
        name = interface.name;
    }
    return name;
}

/// Collective. Pairs of one rank a node; where there is one node, of all ranks.
void measure_pairs(comm::Communicator& comm, ClusterFacts& facts,
                   const std::filesystem::path& sys) {
    std::vector<int> ranks = first_ranks(facts, &IdentityFacts::network);
    if (ranks.size() == 1) {
        ranks.clear();
        for (int rank = 0; rank < comm.size(); ++rank) ranks.push_back(rank);
    }
    std::vector<PairFacts> mine;
    measure::for_each_pair(comm, measure::pairs_of(ranks), [&](const measure::Pair& pair) {
        const bool is_first = comm.rank() == pair.a;
        const auto before = telemetry::read_interfaces(sys);
        const measure::LinkTimes link = measure::measure_link(comm, is_first ? pair.b : pair.a);
        const auto after = telemetry::read_interfaces(sys);
        PairFacts seen;
        seen.a = pair.a;
        seen.b = pair.b;
        (is_first ? seen.carrier_a : seen.carrier_b) = carrier(before, after, link.n_payload_bytes);
        if (is_first) {
            seen.latency_s = link.fit.latency_s;
            seen.s_per_byte = link.fit.s_per_byte;
            seen.s_per_byte_both_ways = link.s_per_byte_both_ways;
            seen.s_per_byte_long = link.s_per_byte_long;
            seen.stored_s_per_byte = link.fit.stored_s_per_byte;
            seen.residual = link.fit.residual;
            seen.n_short = link.stalls.n_rounds;
            seen.n_stalls = link.stalls.n_stalls;
            seen.longest_s = link.stalls.longest_s;
        }
        mine.push_back(seen);
    });
    // Each pair was seen by both of its ranks.
    for (const auto& seen_by_rank : all_of(comm, mine))
        for (const PairFacts& seen : seen_by_rank) {
            const auto found = std::ranges::find_if(facts.pairs, [&](const PairFacts& known) {
                return known.a == seen.a && known.b == seen.b;
            });
            if (found == facts.pairs.end())
                facts.pairs.push_back(seen); // ranks are in order: the first one's view
            else
                found->carrier_b = seen.carrier_b;
        }
}

/// The interfaces of this rank that carried messages.
std::vector<LinkFacts> used_links(const ClusterFacts& facts, int rank,
                                  const std::filesystem::path& sys) {
    std::vector<LinkFacts> links;
    for (const telemetry::Interface& interface : telemetry::read_interfaces(sys)) {
        const bool is_used = std::ranges::any_of(facts.pairs, [&](const PairFacts& pair) {
            return (pair.a == rank && pair.carrier_a == interface.name) ||
                   (pair.b == rank && pair.carrier_b == interface.name);
        });
        if (!is_used || interface.name == "lo") continue;
        const telemetry::EthernetSettings settings =
            telemetry::read_ethernet_settings(interface.name);
        links.push_back({interface.name, interface.state, interface.speed_mbit_per_s,
                         interface.duplex, interface.is_wireless, settings.energy_efficient,
                         settings.receive_delay_us});
    }
    return links;
}

/// Collective. Rank 0: how far each rank's time of day is from its own.
std::vector<comm::ClockOffset> time_of_day_offsets(comm::Communicator& comm) {
    const auto offsets = comm.clock_offsets();
    const double ahead_s = wall_clock_s() - monotonic_s();
    const std::vector<double> all = comm::all_gather(comm, ahead_s);
    std::vector<comm::ClockOffset> result;
    for (std::size_t rank = 0; rank < offsets.size(); ++rank)
        // A rank's clock shows t − offset when rank 0's shows t.
        result.push_back(
            {all[rank] - offsets[rank].offset_s - all[0], offsets[rank].uncertainty_s});
    return result;
}

/// Collective. As long as the residual of one token and of one chunk of the prompt, by the fastest
/// of those that --allreduce auto chooses from.
void time_allreduces(comm::Communicator& comm, std::size_t dim, std::size_t n_batch,
                     ClusterFacts& facts) {
    constexpr double budget_s = 0.2; // of one algorithm
    if (comm.size() == 1) return;
    for (const std::size_t n_rows : {std::size_t{1}, n_batch}) {
        AllreduceFacts fastest;
        fastest.what = n_rows == 1 ? "one token" : fmt::format("{} prompt tokens", n_rows);
        fastest.n_bytes = static_cast<double>(n_rows * dim * sizeof(float));
        for (const comm::Algorithm algorithm :
             measure::candidates(comm::Wire::f32, comm.size(), n_rows * dim)) {
            const double time_s =
                measure::time_allreduce(comm, algorithm, comm::Wire::f32, n_rows * dim, budget_s)
                    .mean_s;
            if (fastest.time_s != 0 && time_s >= fastest.time_s) continue;
            fastest.time_s = time_s;
            fastest.algorithm = comm::name_of(algorithm);
        }
        facts.allreduces.push_back(fastest);
    }
}

} // namespace

std::vector<IdentityFacts> gather_identities(comm::Communicator& comm) {
    IdentityFacts mine;
    mine.rank = comm.rank();
    mine.host = comm.host(comm.rank());
    mine.machine = comm::own_cpus().machine;
    std::error_code none; // containers and namespaces of one machine have networks of their own
    mine.network = mine.machine + std::filesystem::read_symlink("/proc/self/ns/net", none).string();
    mine.program = build_text();
    mine.mpi = comm::mpi_library();
    return all_of(comm, mine);
}

ClusterFacts gather_facts(comm::Environment& environment, comm::Communicator& comm,
                          const session::ModelOptions& options,
                          std::vector<IdentityFacts> identities, const std::filesystem::path& sys) {
    ClusterFacts facts;
    facts.identities = std::move(identities);
    const telemetry::CpuMeter meter(comm::own_cpus().machine, sys);
    const telemetry::TaskTimes tasks_before = telemetry::read_task_times(sys);
    const Stopwatch watch;
    OpenModel model;
    const ModelFacts own_model = look_at_model(options, model);
    facts.models = all_of(comm, own_model);

    const comm::Binding binding =
        comm::examine_binding(comm, options.n_threads, environment.launch().launcher);
    facts.binding_warning = binding.warning;
    NodeFacts mine = describe_node(sys);
    const kernels::Family& family = *kernels::families()[kernels::best_family()];
    mine.kernels = family.name;
    for (const kernels::Family* one : kernels::families()) mine.families.emplace_back(one->name);
    const int n_cpus = binding.n_threads_default;
    const int n_threads = options.n_threads > 0 ? options.n_threads : n_cpus;
    const session::MemoryReport memory =
        look_at_memory(comm, model, own_model, options, family, n_threads);
    if (own_model.is_asked && own_model.code == 0) {
        mine.need_bytes = static_cast<double>(memory.need.total());
        mine.weight_bytes = static_cast<double>(memory.need.weights);
    }
    mine.shortage = memory.shortage;
    comm::agree(comm, [&] {
        threads::Team team(n_threads, n_cpus);
        mine.n_threads = team.size();
        measure_node(mine, team, family, memory.available.bytes, sys, [&] { comm.heartbeat(); });
    });
    measure_pairs(comm, facts, sys);
    mine.links = used_links(facts, comm.rank(), sys);
    if (comm.size() > 1) {
        std::optional<threads::Team> team;
        comm::agree(comm, [&] { team.emplace(n_threads, n_cpus); });
        const measure::OverlapTimes times = measure::measure_overlap(comm, *team);
        facts.overlap = {times.sum_s, times.computing_s, times.together_s, times.hidden_share(),
                         measure::sum_delay_s(comm, *team)};
    }

    const auto same_model = std::ranges::all_of(facts.models, [&](const ModelFacts& m) {
        return m.is_asked && m.code == 0 && m.hash == facts.models.front().hash;
    });
    if (same_model) time_allreduces(comm, model.h.dim, options.n_batch, facts);
    const auto offsets = time_of_day_offsets(comm);
    note_others(mine, tasks_before, telemetry::read_task_times(sys), watch.elapsed_s());
    facts.nodes = all_of(comm, mine);
    leave_ranks_out(facts);
    const std::vector<double> other_cpus =
        telemetry::other_cpus(comm::all_gather(comm, meter.use()));
    for (std::size_t rank = 0; rank < other_cpus.size(); ++rank)
        if (!std::isnan(other_cpus[rank])) facts.nodes[rank].other_cpus = other_cpus[rank];
    for (std::size_t rank = 0; rank < offsets.size(); ++rank) {
        facts.nodes[rank].clock_offset_s = offsets[rank].offset_s;
        facts.nodes[rank].clock_uncertainty_s = offsets[rank].uncertainty_s;
    }
    return facts;
}

} // namespace pillar::check
