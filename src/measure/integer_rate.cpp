#include "pillar/measure/integer_rate.hpp"

#include "pillar/core/median.hpp"
#include "pillar/core/timing.hpp"

#include <atomic>

namespace pillar::measure {

namespace {

constexpr double pass_s = 0.01;

/// Rounds that take one thread about as long as a pass should.
std::uint64_t rounds_a_pass(const kernels::Family& family) {
    for (std::uint64_t n = 1024;; n *= 2) {
        const Stopwatch clock;
        (void)family.dot_rate(n);
        if (clock.elapsed_s() >= pass_s / 2) return 2 * n;
    }
}

} // namespace

std::optional<double> integer_rate(const kernels::Family& family, threads::Team& team,
                                   int n_passes) {
    if (family.dot_rate == nullptr) return std::nullopt;
    const std::uint64_t n_rounds = rounds_a_pass(family);
    std::vector<double> rates;
    for (int i = 0; i < n_passes; ++i) {
        std::atomic<std::uint64_t> n_macs{0};
        const Stopwatch clock;
        team.run([&](threads::Worker) {
            n_macs.fetch_add(family.dot_rate(n_rounds), std::memory_order_relaxed);
        });
        rates.push_back(static_cast<double>(n_macs.load()) / clock.elapsed_s());
    }
    return median(rates);
}

} // namespace pillar::measure
