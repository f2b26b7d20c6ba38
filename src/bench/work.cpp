#include "work.hpp"

#include <algorithm>

namespace pillar::bench {

namespace {

/// What follows another in the sequence: its first position.
template <class Body>
void for_each_step(const engine::BenchmarkTest& test, Body body) {
    const std::size_t prompt_end = test.n_depth + test.n_prompt;
    for (std::size_t at = test.n_depth; at < prompt_end; at += test.n_batch) {
        const std::size_t n = std::min(test.n_batch, prompt_end - at);
        body(at, n, at + n == prompt_end);
    }
    for (std::size_t at = prompt_end; at < test.n_positions(); ++at) body(at, std::size_t{1}, true);
}

} // namespace

std::vector<perf::StepRows> steps_of(const engine::BenchmarkTest& test) {
    std::vector<perf::StepRows> steps;
    for_each_step(test, [&](std::size_t first, std::size_t n_rows, bool wants_logits) {
        steps.push_back(perf::rows_of_one(first, n_rows, wants_logits));
    });
    return steps;
}

Amounts work_of(const engine::BenchmarkTest& test, const forward::StepCost& cost,
                const model::Hyperparameters& h) {
    Amounts work;
    for_each_step(test, [&](std::size_t first, std::size_t n_rows, bool wants_logits) {
        const auto n = static_cast<double>(n_rows);
        work.bytes +=
            cost.layer_bytes_of(n_rows) +
            static_cast<double>(forward::seen_in_layers(h, first, n_rows).read * cost.kv_bytes) /
                static_cast<double>(h.n_layers);
        work.macs += n * static_cast<double>(cost.layer_macs);
        if (!wants_logits) return;
        work.bytes += static_cast<double>(cost.output_bytes);
        work.macs += static_cast<double>(cost.output_macs);
    });
    return work;
}

} // namespace pillar::bench
