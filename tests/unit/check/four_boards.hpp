#pragma once
// A cluster that is well, for tests that plant one thing that is not.

#include "facts.hpp"

namespace pillar::check {

/// Four tuned Pi 4 boards on a gigabit switch, one rank each.
inline ClusterFacts four_boards() {
    ClusterFacts facts;
    for (int rank = 0; rank < 4; ++rank) {
        const std::string host = "pi" + std::to_string(rank + 1);
        facts.identities.push_back(
            {rank, host, "boot" + host, "net" + host, "0.1.0 abc", "Open MPI v4.1.4"});
        facts.models.push_back({true, "m.gguf", 0, "", "00ff"});
        NodeFacts node;
        node.board = "Raspberry Pi 4 Model B Rev 1.4";
        node.cpu = "Cortex-A72";
        node.n_cpus = 4;
        node.n_threads = 4;
        node.kernels = "neon";
        node.families = {"reference", "integer", "neon", "dotprod"};
        node.instructions = {"asimd"};
        node.memory_bytes = 8.2e9;
        node.available_bytes = 7.5e9;
        node.limited_by = "free memory of the host";
        node.need_bytes = 2e9;
        node.governor = "performance";
        node.max_clock_mhz = 1800;
        node.clock_mhz = 1800;
        node.temperature_c = 50;
        node.throttled = 0;
        node.read_bytes_per_s = 4.4e9 + rank * 1e7;
        node.products_per_s = 48e9;
        node.barrier_s = 2e-6;
        node.f32_summing_s = 3e-9;
        node.f16_summing_s = 6e-9;
        node.q8_summing_s = 8e-9;
        node.named_interfaces = "eth0";
        node.links = {{"eth0", "up", 1000, "full", false, false, 0}};
        facts.nodes.push_back(node);
    }
    for (int a = 0; a < 4; ++a)
        for (int b = a + 1; b < 4; ++b)
            facts.pairs.push_back({a, b, 50e-6, 8.5e-9, 10e-9, 12e-9, 8e-9, 0.02, "eth0", "eth0"});
    facts.allreduces = {{"one token", "direct", 8192, 200e-6}};
    facts.overlap = {10e-3, 11e-3, 13e-3, 0.8, 25e-6};
    return facts;
}

} // namespace pillar::check
