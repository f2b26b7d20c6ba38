// In place, pair by pair; the last addition goes to its destination.

#include "pillar/comm/tree_sum.hpp"

#include "pillar/comm/schedule.hpp"

#include <algorithm>

namespace pillar::comm {

namespace {

void add(const float* a, const float* b, std::size_t n, float* sum) noexcept {
    for (std::size_t i = 0; i < n; ++i) sum[i] = a[i] + b[i];
}

} // namespace

void add_in_tree(std::span<float* const> leaves, std::size_t n, float* out) noexcept {
    const auto n_doubling =
        static_cast<std::size_t>(power_of_two_below(static_cast<int>(leaves.size())));
    for (std::size_t r = n_doubling; r < leaves.size(); ++r) {
        add(leaves[r - n_doubling], leaves[r], n, leaves[r - n_doubling]);
    }
    if (n_doubling == 1) {
        if (leaves[0] != out) std::copy_n(leaves[0], n, out);
        return;
    }
    for (std::size_t bit = 1; bit < n_doubling; bit *= 2) {
        const bool is_last = bit == n_doubling / 2;
        for (std::size_t r = 0; r < n_doubling; r += 2 * bit) {
            add(leaves[r], leaves[r + bit], n, is_last ? out : leaves[r]);
        }
    }
}

void add_to(std::span<float> sum, const float* other) noexcept {
    add(sum.data(), other, sum.size(), sum.data());
}

} // namespace pillar::comm
