#include "node_facts.hpp"

#include "pillar/measure/bandwidth.hpp"
#include "pillar/measure/barrier.hpp"
#include "pillar/measure/integer_rate.hpp"
#include "pillar/telemetry/host.hpp"
#include "pillar/telemetry/memory.hpp"
#include "pillar/telemetry/power.hpp"
#include "pillar/telemetry/processor.hpp"

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace pillar::check {

void measure_node(NodeFacts& facts, threads::Team& team, const kernels::Family& family,
                  std::uint64_t available, const std::filesystem::path& sys,
                  FunctionRef<void()> heartbeat) {
    measure::ReadBandwidth bandwidth(
        team, std::min<std::uint64_t>(measure::bandwidth_bytes, available / 4));
    heartbeat();
    facts.read_bytes_per_s = bandwidth.measure(team);
    heartbeat();
    facts.products_per_s = measure::integer_rate(family, team);
    heartbeat();
    const telemetry::Sensors sensors = telemetry::read_sensors(sys);
    facts.supply_v = telemetry::PowerMeter(sys).read().supply_v;
    facts.barrier_s = measure::barrier_s(team);
    heartbeat();
    facts.f32_summing_s = measure::reduction_s_per_value(comm::Wire::f32);
    facts.f16_summing_s = measure::reduction_s_per_value(comm::Wire::f16);
    facts.q8_summing_s = measure::reduction_s_per_value(comm::Wire::q8);
    if (!sensors.clocks_mhz.empty()) facts.clock_mhz = std::ranges::min(sensors.clocks_mhz);
    facts.temperature_c = sensors.temperature_c;
    facts.throttled = sensors.throttled;
}

NodeFacts describe_node(const std::filesystem::path& sys) {
    const telemetry::HostInfo host = telemetry::read_host_info(sys);
    const telemetry::AvailableMemory memory = telemetry::read_available_memory(sys);
    NodeFacts facts;
    facts.board = host.board_model;
    facts.cpu = host.cpu_model;
    facts.n_cpus = host.n_cpus;
    facts.memory_bytes = static_cast<double>(host.memory_bytes);
    facts.available_bytes = static_cast<double>(memory.bytes);
    facts.limited_by = memory.limited_by;
    facts.governor = host.governor;
    facts.max_clock_mhz = host.max_clock_mhz;
    facts.instructions = telemetry::product_instructions(sys);
    const std::vector<int> own = threads::process_cpus();
    for (const telemetry::CpuSpeed& one : telemetry::cpu_speeds(sys))
        facts.cpus.push_back({one.cpu, one.speed, std::ranges::binary_search(own, one.cpu)});
    facts.process = ::getpid();
    if (const char* named = std::getenv("OMPI_MCA_btl_tcp_if_include"))
        facts.named_interfaces = named;
    return facts;
}

void note_others(NodeFacts& facts, const telemetry::TaskTimes& before,
                 const telemetry::TaskTimes& after, double seconds) {
    constexpr double least_cpus = 0.1; // a desktop's own noise is below it
    for (const telemetry::ProcessUse& use :
         telemetry::busy_processes(before, after, seconds, least_cpus)) {
        ProcessFacts process{use.process, use.name, use.cpus, {}, {}};
        for (const telemetry::CpuPart& part : use.parts) {
            process.on.push_back(part.cpu);
            process.shares.push_back(part.share);
        }
        facts.others.push_back(std::move(process));
    }
}

void leave_ranks_out(ClusterFacts& facts) {
    for (std::size_t rank = 0; rank < facts.nodes.size(); ++rank)
        std::erase_if(facts.nodes[rank].others, [&](const ProcessFacts& process) {
            for (std::size_t beside = 0; beside < facts.nodes.size(); ++beside)
                if (facts.identities[beside].machine == facts.identities[rank].machine &&
                    facts.nodes[beside].process == process.process)
                    return true;
            return false;
        });
}

} // namespace pillar::check
