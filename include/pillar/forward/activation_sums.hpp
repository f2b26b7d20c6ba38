#pragma once
// Σ x² of each column of the activations that matrices are multiplied with: an importance matrix in
// the making. The values are those before quantisation to int8. A rank sums the columns that it
// alone has (heads' results, hidden units); of those that all have (after a norm) it sums a part.
// Nothing is exchanged: whoever wants whole rows puts the ranks' parts one after another.
//
// A sum runs over the rows in the order of the text, in f64 within a chunk; at its end it is added
// to an f32 total and rounded once. So the totals' bits depend on neither ranks, threads nor steps,
// and a run can go on from totals that a file has kept.

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/kernels/activations.hpp"
#include "pillar/model/model.hpp"
#include "pillar/threads/team.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pillar::forward {

/// What matrices are multiplied with.
enum class Input : std::uint8_t {
    attention_normed,    ///< by query, key, value
    head_results,        ///< by the attention output
    feed_forward_normed, ///< by gate and up, or by the router
    hidden,              ///< by down
    expert_rows,         ///< by an expert's gate and up: of the rows that chose it
    expert_hidden,       ///< by its down
    final_normed,        ///< by the output matrix: of the rows that want logits
};

/// What the matrix of a role is multiplied with. expects() the role of one.
Input input_of(model::Role role) noexcept;

class ActivationSums {
  public:
    /// One vector of sums.
    struct Vector {
        Input input{};
        std::size_t layer = 0;  ///< 0 of final_normed
        std::size_t expert = 0; ///< 0 of what is no expert's
        std::size_t width = 0;  ///< columns of the matrix
        Range own;              ///< of them, summed here: adjacent and in order over the ranks
        std::size_t begin = 0;  ///< its place in totals()
    };

    ActivationSums(const model::Hyperparameters& h, const partition::Share& share);
    static std::uint64_t size_bytes(const model::Hyperparameters& h,
                                    const partition::Share& share) noexcept;

    // By all threads of the team together: each its columns of all rows.

    /// Columns of `x`, which are rows of the text in order.
    void add(Input input, std::size_t layer, const kernels::Activations& x,
             threads::Worker worker) noexcept {
        add(place_of(input, layer, 0), x, {0, x.n_columns()}, worker);
    }
    /// Columns [begin, end) of `x`, of an expert.
    void add_expert(std::size_t layer, std::size_t expert, const kernels::Activations& x,
                    Range columns, threads::Worker worker) noexcept {
        add(place_of(Input::expert_hidden, layer, expert), x, columns, worker);
    }
    /// The rows that chose an expert: `column_of(i)` of `x` for i in [0, n).
    template <class ColumnOf>
    void add_expert_rows(std::size_t layer, std::size_t expert, const kernels::Activations& x,
                         std::size_t n, const ColumnOf& column_of,
                         threads::Worker worker) noexcept {
        const std::size_t place = place_of(Input::expert_rows, layer, expert);
        for (std::size_t i = 0; i < n; ++i) add_squares(place, x, column_of(i), worker);
        if (worker.is_main()) chunk_counts_[place] += n;
    }

    // Between steps.

    /// The chunk is complete: to the totals.
    void end_chunk() noexcept;
    /// It will not be completed.
    void drop_chunk() noexcept;

    /// By layer, within a layer by input, then by expert; final_normed at last.
    [[nodiscard]] std::span<const Vector> vectors() const noexcept { return vectors_; }
    /// This rank's sums of all vectors.
    [[nodiscard]] std::span<float> totals() noexcept { return totals_.span(); }
    /// Rows that a vector is the sum of; one a vector, the same on every rank.
    [[nodiscard]] std::span<std::uint64_t> counts() noexcept { return counts_; }

  private:
    [[nodiscard]] std::size_t place_of(Input input, std::size_t layer,
                                       std::size_t expert) const noexcept;
    void add(std::size_t place, const kernels::Activations& x, Range columns,
             threads::Worker worker) noexcept;
    void add_squares(std::size_t place, const kernels::Activations& x, std::size_t column,
                     threads::Worker worker) noexcept;

    std::size_t n_experts_;
    std::vector<Vector> vectors_;
    AlignedBuffer<double> chunk_;
    AlignedBuffer<float> totals_;
    std::vector<std::uint64_t> chunk_counts_, counts_;
};

} // namespace pillar::forward
