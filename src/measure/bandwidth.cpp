#include "pillar/measure/bandwidth.hpp"

#include "pillar/core/median.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <vector>

namespace pillar::measure {

namespace {

using Line [[gnu::vector_size(64)]] = std::uint64_t;

constexpr std::size_t lines_a_step = 4;
constexpr std::size_t prefetch_lines = 96; ///< 6 KB ahead

/// Exclusive or of all lines: one load and one operation for each.
template <bool prefetching>
std::uint64_t read_lines(const Line* lines, std::size_t n) noexcept {
    Line sums[lines_a_step] = {};
    for (std::size_t i = 0; i + lines_a_step <= n; i += lines_a_step)
        for (std::size_t j = 0; j < lines_a_step; ++j) {
            if constexpr (prefetching) __builtin_prefetch(lines + i + j + prefetch_lines);
            sums[j] ^= lines[i + j];
        }
    const Line sum = sums[0] ^ sums[1] ^ sums[2] ^ sums[3];
    std::uint64_t result = 0;
    for (std::size_t k = 0; k < 8; ++k) result ^= sum[k];
    return result;
}

} // namespace

ReadBandwidth::ReadBandwidth(threads::Team& team, std::size_t n_bytes) : data_(n_bytes) {
    team.run([&](threads::Worker worker) {
        const Range mine = worker.share(data_.size() / sizeof(Line));
        std::fill(data_.data() + mine.begin * sizeof(Line), data_.data() + mine.end * sizeof(Line),
                  static_cast<std::byte>(worker.index() + 1));
    });
}

template <bool prefetching>
double ReadBandwidth::pass(threads::Team& team) {
    const Stopwatch clock;
    team.run([&](threads::Worker worker) {
        const auto* lines = reinterpret_cast<const Line*>(data_.data());
        const Range mine = worker.share(data_.size() / sizeof(Line));
        sink_.fetch_xor(read_lines<prefetching>(lines + mine.begin, mine.size()),
                        std::memory_order_relaxed);
    });
    return static_cast<double>(data_.size()) / clock.elapsed_s();
}

double ReadBandwidth::measure(threads::Team& team, int n_passes) {
    std::vector<double> plain, prefetched;
    for (int i = 0; i < n_passes; ++i) {
        plain.push_back(pass<false>(team));
        prefetched.push_back(pass<true>(team));
    }
    return std::max(median(plain), median(prefetched));
}

void ReadBandwidth::read(threads::Team& team) {
    (void)pass<false>(team);
}

} // namespace pillar::measure
