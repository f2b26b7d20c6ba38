#pragma once
// Rotary position embedding: cos and sin of one position, in f64 and rounded once. Su et al.,
// "RoFormer"; linear scaling (Chen et al.), YaRN (Peng et al. 2023, section 3), and Llama
// 3's per-frequency factors (rope_freqs).

#include "pillar/model/hyperparameters.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace pillar::model {

class RopeTable {
  public:
    /// `frequency_factors`: rope_freqs.weight (n_dims/2) or empty.
    RopeTable(const Rope& rope, std::span<const float> frequency_factors);

    [[nodiscard]] std::size_t n_pairs() const noexcept { return frequencies_.size(); }
    /// cosine and sine (n_pairs each) of the angles at `position`.
    void angles(std::int32_t position, std::span<float> cosine,
                std::span<float> sine) const noexcept;

  private:
    std::vector<double> frequencies_; ///< radians a position, scaling applied
    double magnitude_ = 1.0;          ///< yarn: both cos and sin are multiplied by it
};

} // namespace pillar::model
