#pragma once
// How large a part each rank of unequal nodes should own: in proportion to its speed, but no more
// than its memory holds (--split auto). Pure rules; who measures and who agrees on the result is
// cli's business.

#include "pillar/core/function_ref.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pillar::partition {

/// Speeds that differ by no more than this count as equal: an even split has the same bits on 1, 2,
/// 4, 8 ranks, and a measurement is not much better than that.
inline constexpr double min_difference = 0.10;

/// Is the fastest more than min_difference faster than the slowest? All are positive.
bool speeds_differ(std::span<const double> speeds) noexcept;

/// Shares (sum 1) in proportion to `speeds`, none above its cap: who is full keeps its cap, the
/// others have the rest in proportion. Empty when the caps together hold less than the whole.
std::vector<double> fill(std::span<const double> speeds, std::span<const double> caps);

/// What a rank needs with some split, in bytes.
struct Need {
    std::uint64_t fixed = 0;   ///< whatever its share
    std::uint64_t growing = 0; ///< about in proportion to its share
};
/// Of `rank`, when the ranks have these weights; empty: an even split.
using NeedOf = FunctionRef<Need(int rank, std::span<const double> weights)>;

struct Assignment {
    std::vector<double> weights;  ///< one a rank, in thousandths, sum about 1; empty: even
    bool speeds_are_equal = true; ///< within min_difference
    std::vector<int> full;        ///< ranks that have less than their speed asks for
};

/// The rule of --split auto for ranks with these speeds (positive, any unit) and `available` bytes
/// each. Even where speeds are equal and an even split fits. Where nothing fits everybody, the
/// split by speed alone: the memory check then says what is missing.
Assignment assign_by_speed(std::span<const double> speeds, std::span<const std::uint64_t> available,
                           NeedOf need);

} // namespace pillar::partition
