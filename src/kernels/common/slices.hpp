#pragma once
// The balanced binary tree over a row's slices, ((s0 + s1) + (s2 + s3)) + …, for several sums at
// once: a finished slice is added to its left neighbour as soon as both are as large. For every
// instruction set: `Lanes` has the vector type `Floats`, zero() and plus(a, b).

#include "views.hpp"

namespace pillar::kernels::groups {
namespace {

inline std::size_t first_block(const Slice& slice) noexcept {
    return slice.begin / block_size;
}

/// Blocks of 32 that the slice touches; none if it is empty.
inline std::size_t count_blocks(const Slice& slice) noexcept {
    if (slice.begin == slice.end) return 0;
    return (slice.end + block_size - 1) / block_size - slice.begin / block_size;
}

/// Activation blocks that a product reads: fewer than a column has, where the matrix is one of its
/// slices alone.
inline std::size_t count_read_blocks(const ProductView& p) noexcept {
    return p.block_begin[p.n_slices] - p.block_begin[0];
}

template <class Lanes, std::size_t capacity>
class SliceTree {
  public:
    using Floats = typename Lanes::Floats;
    explicit SliceTree(std::size_t n_sums) noexcept : n_sums_(n_sums) {}

    /// The sums of slice s, set to +0. Slices come in order.
    Floats* begin(std::size_t s) noexcept {
        Floats* sums = level_[level_of(s)];
        for (std::size_t i = 0; i < n_sums_; ++i) sums[i] = Lanes::zero();
        return sums;
    }
    /// Slice s is complete: add what can be added.
    void end(std::size_t s) noexcept {
        for (std::size_t level = level_of(s); s % 2 == 1; s /= 2, --level)
            for (std::size_t i = 0; i < n_sums_; ++i)
                level_[level - 1][i] = Lanes::plus(level_[level - 1][i], level_[level][i]);
    }
    /// After the last slice: the sums of all.
    [[nodiscard]] const Floats* total() const noexcept { return level_[0]; }

  private:
    /// Subtrees that are complete before slice s: one for each bit of s.
    static std::size_t level_of(std::size_t s) noexcept {
        return static_cast<std::size_t>(__builtin_popcountll(s));
    }
    static constexpr std::size_t max_levels = 16; ///< up to 32768 slices
    std::size_t n_sums_;
    Floats level_[max_levels][capacity];
};

} // namespace
} // namespace pillar::kernels::groups
