#include "pillar/partition/partition.hpp"

#include <algorithm>

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

} // namespace

Share even_share(const Sizes& sizes, int rank, int n_ranks) {
    const std::size_t n_units = (sizes.hidden_dim + feed_forward_unit - 1) / feed_forward_unit;
    const auto r = static_cast<std::size_t>(rank);
    const auto p = static_cast<std::size_t>(n_ranks);

    Share share;
    share.rank = rank;
    share.n_ranks = n_ranks;
    share.n_slices = n_slices_for(n_ranks);
    const auto n_slices = static_cast<std::size_t>(share.n_slices);
    share.slices = part_of(n_slices, r, p);
    share.heads = part_of(sizes.n_heads, r, p);
    share.kv_heads = kv_heads_of(sizes, share.heads);
    share.hidden = hidden_columns(sizes, part_of(n_units, r, p));
    share.vocabulary = part_of(sizes.vocab_size, r, p);
    for (std::size_t s = share.slices.begin; s < share.slices.end; ++s) {
        share.slice_heads.push_back(part_of(sizes.n_heads, s, n_slices));
        share.slice_hidden.push_back(hidden_columns(sizes, part_of(n_units, s, n_slices)));
        share.slice_vocabulary.push_back(part_of(sizes.vocab_size, s, n_slices));
    }
    return share;
}

} // namespace pillar::partition
