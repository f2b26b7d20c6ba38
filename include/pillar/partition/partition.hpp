#pragma once
// Who owns which heads, feed-forward units and vocabulary rows: pure arithmetic.
//
// Of n units slice s of S is [⌊s·n/S⌋, ⌊(s+1)·n/S⌋) and rank r of P owns [⌊r·n/P⌋, ⌊(r+1)·n/P⌋). S
// = 8 for P = 1, 2, 4, 8, so that slices nest within ranks and sums have one tree whatever P is;
// otherwise S = P, a slice a rank. Units: attention heads; 32 feed-forward columns (the last unit
// may be short); single vocabulary rows.
//
// An uneven split has a weight for each rank instead: S = P, and slice s is [round(c(s)·n),
// round(c(s+1)·n)), c(s) the sum of the weights before s divided by the sum of all.

#include "pillar/core/sizes.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::partition {

inline constexpr std::size_t feed_forward_unit = 32;
inline constexpr int n_tree_slices = 8;

/// Part `index` of `n` units cut into `n_parts`: [⌊index·n/n_parts⌋, ⌊(index+1)·n/n_parts⌋).
Range part_of(std::size_t n, std::size_t index, std::size_t n_parts) noexcept;

/// Part `index` of `n` units assigned by weights, of which there is one a part: none negative,
/// their sum positive. Depends on their ratios as f64 arithmetic gives them, in order: the same
/// numbers assign the same units everywhere.
Range weighted_part(std::size_t n, std::size_t index, std::span<const double> weights) noexcept;

/// 8 for 1, 2, 4, 8 ranks, else n_ranks.
int n_slices_for(int n_ranks) noexcept;

struct Sizes {
    std::size_t n_heads = 0;
    std::size_t n_kv_heads = 0;
    std::size_t head_dim = 0;   ///< of keys, queries and values
    std::size_t hidden_dim = 0; ///< feed-forward width
    std::size_t vocab_size = 0;
};

/// What one rank owns. Ranges are in the model's own numbering; slices_* have one entry an own
/// slice, adjacent and in order, and cover the range beside them exactly.
struct Share {
    int rank = 0;
    int n_ranks = 1;
    int n_slices = n_tree_slices; ///< of the whole model
    Range slices;                 ///< own slices within [0, n_slices)
    std::vector<double> weights;  ///< of all ranks; empty: an even split

    Range heads;      ///< own query heads
    Range kv_heads;   ///< every KV head that an own query head reads; empty without own heads
    Range hidden;     ///< own feed-forward columns (weights, not units)
    Range vocabulary; ///< own rows of the output matrix

    std::vector<Range> slice_heads;
    std::vector<Range> slice_hidden;
    std::vector<Range> slice_vocabulary;
};

/// Even split. Throws nothing; needs n_kv_heads ≥ 1 dividing n_heads, 0 ≤ rank < n_ranks.
Share even_share(const Sizes& sizes, int rank, int n_ranks);

/// Split by one weight a rank, as weighted_part() assigns; no weights: even_share. A rank may be
/// left without heads, columns or rows.
Share share_of(const Sizes& sizes, int rank, int n_ranks, std::span<const double> weights);

/// The rows of the output matrix that another rank of the same split owns.
Range vocabulary_of(const Sizes& sizes, const Share& own, int rank) noexcept;

/// KV heads that query heads [heads) read: each KV head serves n_heads/n_kv_heads of them.
Range kv_heads_of(const Sizes& sizes, Range heads) noexcept;

} // namespace pillar::partition
