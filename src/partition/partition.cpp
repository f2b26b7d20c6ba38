#include "pillar/partition/partition.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::partition {

Range part_of(std::size_t n, std::size_t index, std::size_t n_parts) noexcept {
    return {index * n / n_parts, (index + 1) * n / n_parts};
}

int n_slices_for(int n_ranks) noexcept {
    const bool nests = n_ranks == 1 || n_ranks == 2 || n_ranks == 4 || n_ranks == 8;
    return nests ? n_tree_slices : n_ranks;
}

Range kv_heads_of(const Sizes& sizes, Range heads) noexcept {
    if (heads.empty()) return {};
    const std::size_t group = sizes.n_heads / sizes.n_kv_heads;
    return {heads.begin / group, (heads.end - 1) / group + 1};
}

namespace {

/// Units → weights, the last unit cut at the model's width.
Range hidden_columns(const Sizes& sizes, Range units) noexcept {
    return {std::min(units.begin * feed_forward_unit, sizes.hidden_dim),
            std::min(units.end * feed_forward_unit, sizes.hidden_dim)};
}

/// `part` assigns n units to parts.
template <class PartOf>
void assign(Share& share, const Sizes& sizes, PartOf part) {
    const std::size_t n_units = (sizes.hidden_dim + feed_forward_unit - 1) / feed_forward_unit;
    const auto r = static_cast<std::size_t>(share.rank);
    const auto p = static_cast<std::size_t>(share.n_ranks);
    const auto n_slices = static_cast<std::size_t>(share.n_slices);
    share.slices = part_of(n_slices, r, p);
    share.heads = part(sizes.n_heads, r, p);
    share.kv_heads = kv_heads_of(sizes, share.heads);
    share.hidden = hidden_columns(sizes, part(n_units, r, p));
    share.vocabulary = part(sizes.vocab_size, r, p);
    for (std::size_t s = share.slices.begin; s < share.slices.end; ++s) {
        share.slice_heads.push_back(part(sizes.n_heads, s, n_slices));
        share.slice_hidden.push_back(hidden_columns(sizes, part(n_units, s, n_slices)));
        share.slice_vocabulary.push_back(part(sizes.vocab_size, s, n_slices));
    }
}

} // namespace

Range weighted_part(std::size_t n, std::size_t index, std::span<const double> weights) noexcept {
    double total = 0, before = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (i < index) before += weights[i];
        total += weights[i];
    }
    const auto edge = [&](double sum) {
        return std::min(
            n, static_cast<std::size_t>(std::floor(sum / total * static_cast<double>(n) + 0.5)));
    };
    return {edge(before), index + 1 == weights.size() ? n : edge(before + weights[index])};
}

Share even_share(const Sizes& sizes, int rank, int n_ranks) {
    return share_of(sizes, rank, n_ranks, {});
}

Share share_of(const Sizes& sizes, int rank, int n_ranks, std::span<const double> weights) {
    Share share;
    share.rank = rank;
    share.n_ranks = n_ranks;
    share.weights.assign(weights.begin(), weights.end());
    if (weights.empty()) {
        share.n_slices = n_slices_for(n_ranks);
        assign(share, sizes, part_of);
    } else {
        share.n_slices = n_ranks;
        assign(share, sizes, [weights](std::size_t n, std::size_t index, std::size_t) {
            return weighted_part(n, index, weights);
        });
    }
    return share;
}

Range vocabulary_of(const Sizes& sizes, const Share& own, int rank) noexcept {
    const auto r = static_cast<std::size_t>(rank);
    return own.weights.empty() ? part_of(sizes.vocab_size, r, static_cast<std::size_t>(own.n_ranks))
                               : weighted_part(sizes.vocab_size, r, own.weights);
}

} // namespace pillar::partition
