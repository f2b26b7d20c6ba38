#include "pillar/model/rope.hpp"

#include "pillar/core/elementary.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pillar::model {

namespace {

/// YaRN, section 3.2: the pair at which a rotation completes `n_rotations` over the original
/// context.
double correction_dimension(const Rope& rope, double n_rotations) {
    const double turns = rope.original_context / (n_rotations * 2.0 * std::numbers::pi);
    return static_cast<double>(rope.n_dims) * log_f64(turns) / (2.0 * log_f64(rope.base));
}

/// 1 below `low` (fast pairs, extrapolated), 0 above `high` (slow pairs, interpolated), linear
/// between.
double ramp(double low, double high, double pair) {
    const double y = (pair - low) / std::max(0.001, high - low);
    return 1.0 - std::clamp(y, 0.0, 1.0);
}

} // namespace

RopeTable::RopeTable(const Rope& rope, std::span<const float> frequency_factors) {
    const std::size_t n_pairs = rope.n_dims / 2;
    const bool yarn = rope.scaling == RopeScaling::yarn;
    const double scale = rope.scaling == RopeScaling::none ? 1.0 : 1.0 / rope.factor;
    double low = 0, high = 0;
    if (yarn && rope.extrapolation != 0.0) {
        low = std::max(0.0, std::floor(correction_dimension(rope, rope.beta_fast)));
        high = std::min(static_cast<double>(rope.n_dims) - 1.0,
                        std::ceil(correction_dimension(rope, rope.beta_slow)));
        const double stretch = rope.factor > 1.0 ? 0.1 * log_f64(rope.factor) : 0.0;
        magnitude_ = (1.0 + stretch) / (1.0 + rope.log_multiplier * stretch);
        if (rope.magnitude > 0.0) magnitude_ = rope.magnitude;
    }
    magnitude_ *= rope.attention_factor;
    frequencies_.resize(n_pairs);
    for (std::size_t i = 0; i < n_pairs; ++i) {
        const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rope.n_dims);
        double frequency = i == 0 ? 1.0 : pow_f64(rope.base, exponent);
        if (!frequency_factors.empty()) frequency /= static_cast<double>(frequency_factors[i]);
        double scaled = frequency * scale;
        if (yarn && rope.extrapolation != 0.0) {
            const double mix = ramp(low, high, static_cast<double>(i)) * rope.extrapolation;
            scaled = scaled * (1.0 - mix) + frequency * mix;
        }
        frequencies_[i] = scaled;
    }
}

void RopeTable::angles(std::int32_t position, std::span<float> cosine,
                       std::span<float> sine) const noexcept {
    for (std::size_t i = 0; i < frequencies_.size(); ++i) {
        const SinCos value = sin_cos_f64(static_cast<double>(position) * frequencies_[i]);
        cosine[i] = static_cast<float>(value.cos * magnitude_);
        sine[i] = static_cast<float>(value.sin * magnitude_);
    }
}

} // namespace pillar::model
