#include "pillar/forward/activation_sums.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::forward {

namespace {

/// Vectors of a layer: normed twice and the heads' results; hidden, or two of each expert.
std::size_t vectors_a_layer(std::size_t n_experts) noexcept {
    return 3 + (n_experts == 0 ? 1 : 2 * n_experts);
}

Range own_part(std::size_t width, const partition::Share& share) noexcept {
    return partition::part_of(width, static_cast<std::size_t>(share.rank),
                              static_cast<std::size_t>(share.n_ranks));
}

std::size_t own_columns(const model::Hyperparameters& h, const partition::Share& share) noexcept {
    const std::size_t normed = own_part(h.dim, share).size();
    const std::size_t heads = share.heads.size() * h.head_dim, hidden = share.hidden.size();
    const std::size_t feed_forward = h.n_experts == 0 ? hidden : h.n_experts * (normed + hidden);
    return h.n_layers * (2 * normed + heads + feed_forward) + normed;
}

} // namespace

Input input_of(model::Role role) noexcept {
    using model::Role;
    switch (role) {
    case Role::query:
    case Role::key:
    case Role::value:
        return Input::attention_normed;
    case Role::attention_output:
        return Input::head_results;
    case Role::gate:
    case Role::up:
    case Role::router:
        return Input::feed_forward_normed;
    case Role::down:
        return Input::hidden;
    case Role::expert_gate:
    case Role::expert_up:
        return Input::expert_rows;
    case Role::expert_down:
        return Input::expert_hidden;
    default:
        expects(role == Role::output, "only matrices have inputs");
        return Input::final_normed;
    }
}

ActivationSums::ActivationSums(const model::Hyperparameters& h, const partition::Share& share)
    : n_experts_(h.n_experts) {
    std::size_t begin = 0;
    const auto add_vector = [&](Input input, std::size_t layer, std::size_t expert,
                                std::size_t width, Range own) {
        vectors_.push_back({input, layer, expert, width, own, begin});
        begin += own.size();
    };
    const Range normed = own_part(h.dim, share);
    const Range heads{share.heads.begin * h.head_dim, share.heads.end * h.head_dim};
    const std::size_t q_dim = h.n_heads * h.head_dim;
    for (std::size_t layer = 0; layer < h.n_layers; ++layer) {
        add_vector(Input::attention_normed, layer, 0, h.dim, normed);
        add_vector(Input::head_results, layer, 0, q_dim, heads);
        add_vector(Input::feed_forward_normed, layer, 0, h.dim, normed);
        if (n_experts_ == 0) add_vector(Input::hidden, layer, 0, h.hidden_dim, share.hidden);
        for (std::size_t e = 0; e < n_experts_; ++e)
            add_vector(Input::expert_rows, layer, e, h.dim, normed);
        for (std::size_t e = 0; e < n_experts_; ++e)
            add_vector(Input::expert_hidden, layer, e, h.hidden_dim, share.hidden);
    }
    add_vector(Input::final_normed, 0, 0, h.dim, normed);
    expects(begin == own_columns(h, share), "the vectors have the size that was told");
    chunk_ = AlignedBuffer<double>(begin);
    totals_ = AlignedBuffer<float>(begin);
    chunk_counts_.resize(vectors_.size());
    counts_.resize(vectors_.size());
    std::ranges::fill(totals_.span(), 0.0f);
    drop_chunk();
}

std::uint64_t ActivationSums::size_bytes(const model::Hyperparameters& h,
                                         const partition::Share& share) noexcept {
    const std::size_t n_vectors = h.n_layers * vectors_a_layer(h.n_experts) + 1;
    return own_columns(h, share) * (sizeof(double) + sizeof(float)) +
           n_vectors * (sizeof(Vector) + 2 * sizeof(std::uint64_t));
}

std::size_t ActivationSums::place_of(Input input, std::size_t layer,
                                     std::size_t expert) const noexcept {
    const std::size_t first = layer * vectors_a_layer(n_experts_);
    switch (input) {
    case Input::attention_normed:
        return first;
    case Input::head_results:
        return first + 1;
    case Input::feed_forward_normed:
        return first + 2;
    case Input::hidden:
        return first + 3;
    case Input::expert_rows:
        return first + 3 + expert;
    case Input::expert_hidden:
        return first + 3 + n_experts_ + expert;
    case Input::final_normed:
        break;
    }
    return vectors_.size() - 1;
}

void ActivationSums::add(std::size_t place, const kernels::Activations& x, Range columns,
                         threads::Worker worker) noexcept {
    for (std::size_t c = columns.begin; c < columns.end; ++c) add_squares(place, x, c, worker);
    if (worker.is_main()) chunk_counts_[place] += columns.size();
}

void ActivationSums::add_squares(std::size_t place, const kernels::Activations& x,
                                 std::size_t column, threads::Worker worker) noexcept {
    const Vector& vector = vectors_[place];
    const Range mine = worker.share(vector.own.size());
    if (mine.size() == 0) return;
    const float* const values = x.column(column) + (vector.own.begin - x.layout.origin);
    double* const sums = chunk_.data() + vector.begin;
    for (std::size_t i = mine.begin; i < mine.end; ++i) {
        const double value = values[i];
        sums[i] += value * value;
    }
}

void ActivationSums::end_chunk() noexcept {
    for (std::size_t i = 0; i < totals_.span().size(); ++i)
        totals_.data()[i] =
            static_cast<float>(static_cast<double>(totals_.data()[i]) + chunk_.data()[i]);
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += chunk_counts_[i];
    drop_chunk();
}

void ActivationSums::drop_chunk() noexcept {
    std::ranges::fill(chunk_.span(), 0.0);
    std::ranges::fill(chunk_counts_, std::uint64_t{0});
}

} // namespace pillar::forward
