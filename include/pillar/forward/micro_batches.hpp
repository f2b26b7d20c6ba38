#pragma once
// A step of many rows on several ranks goes through the layers in two micro-batches, the halves of
// its rows: while the sum of one is under way, the other is computed. How it is cut, and what that
// makes of the all-reduces and barriers in a layer.

#include <cstddef>

namespace pillar::forward {

inline constexpr std::size_t min_micro_batched_rows = 64; ///< 32 rows each hide the memory
inline constexpr std::size_t micro_batch_unit = 16;       ///< what kernels multiply together

/// Rows of the first micro-batch; all of them where one rank has nothing to send, or where reading
/// the weights twice would cost more than waiting.
std::size_t first_micro_batch(std::size_t n_rows, int n_ranks) noexcept;

inline constexpr std::size_t blocks_a_layer = 2; ///< each ends with the sum of its rows
/// Floats a row of the exact all-reduce that a joint norm of queries and keys needs before the
/// scores: the sums of their squares.
inline constexpr std::size_t squares_a_row = 2;
/// All-reduces in one layer of a step with so many rows.
std::size_t allreduces_a_layer(std::size_t n_rows, int n_ranks, bool has_joint_norm) noexcept;

/// Barriers of the thread team in one layer of a step with so many rows; one more where a few rows
/// leave threads to share the pages of a head, or heads share blocks. Experts are chosen and their
/// rows gathered first. Many rows meet once more after a joint norm.
std::size_t barriers_a_layer(std::size_t n_rows, int n_ranks, bool has_experts = false,
                             bool has_joint_norm = false) noexcept;

} // namespace pillar::forward
