// Loading keeps no second copy of the weights: the peak of resident memory, as the kernel counts
// it.

#include "pillar/forward/transformer.hpp"
#include "pillar/kernels/family.hpp"
#include "support/models/model_files.hpp"

#include <fstream>
#include <gtest/gtest.h>

namespace pillar::forward {

using namespace model;
namespace {

/// A line of /proc/self/status in bytes; 0 if there is none.
std::uint64_t status_bytes(const std::string& key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
    return 0;
}

/// From now on VmHWM counts anew.
bool forget_peak() {
    std::ofstream file("/proc/self/clear_refs");
    file << "5" << std::flush;
    return file.good();
}

TEST(resident_memory, of_loading_stays_below_1_1_times_the_slice_plus_cache_and_buffers) {
    const support::ModelFile model(support::TinyModel{.n_layers = 4,
                                                      .dim = 1024,
                                                      .n_heads = 16,
                                                      .n_kv_heads = 4,
                                                      .ffn = 4096,
                                                      .type = quant::Type::q4_k});
    const auto share = partition::even_share(model.h().sizes(), 0, 1);
    const TransformerOptions options{.n_context = 256, .max_rows = 16};
    threads::Team team(2);
    for (const kernels::Family* family : kernels::families()) {
        if (!family->supported()) continue;
        if (!forget_peak() || status_bytes("VmHWM") == 0)
            GTEST_SKIP() << "this kernel does not count peaks anew; one with /proc/self/clear_refs "
                            "does (CONFIG_PROC_PAGE_MONITOR)";
        const std::uint64_t before = status_bytes("VmRSS");
        const MemoryNeed need =
            memory_need(model.file(), model.h(), share, *family, options, team.size());
        const Model loaded(model.file(), model.h(), share, *family, team, false,
                           [](std::uint64_t) {});
        const Transformer transformer(loaded, options, team);
        const auto grown = static_cast<double>(status_bytes("VmHWM") - before);
        const auto weights = static_cast<double>(need.weights);
        // What an earlier test has freed may serve again.
        EXPECT_GE(grown, 0.95 * weights) << family->name;
        EXPECT_LE(grown, 1.1 * weights + static_cast<double>(need.kv_cache + need.buffers))
            << family->name;
    }
}

} // namespace
} // namespace pillar::forward
