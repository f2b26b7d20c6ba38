#pragma once
// Products of a matrix with the activations of a micro-batch, cut into pieces between which the
// main thread looks at messages.

#include "workspace.hpp"

namespace pillar::forward {

/// y = W · x for row groups [begin, end) of the matrix. y: (columns of x, y_stride).
void multiply(const Workspace& ws, threads::Worker worker, const kernels::Matrix& w,
              const kernels::Activations& x, float* y, std::size_t y_stride, Range groups) noexcept;

/// The same for this thread's equal share of all groups.
void multiply_share(const Workspace& ws, threads::Worker worker, const kernels::Matrix& w,
                    const kernels::Activations& x, float* y, std::size_t y_stride) noexcept;

/// A hint that these groups are multiplied after the product at hand: their first bytes come from
/// memory meanwhile; behind those the kernels look ahead themselves.
void expect_next(const kernels::Matrix& w, Range groups) noexcept;

/// Rows of a matrix that groups [begin, end) hold.
Range rows_of(const kernels::Matrix& w, Range groups) noexcept;

/// values[i] += bias[i] in a range; no bias: nothing.
inline void add_bias(float* values, std::span<const float> bias, Range range) noexcept {
    if (bias.empty()) return;
    for (std::size_t i = range.begin; i < range.end; ++i) values[i] += bias[i];
}

/// values[i] *= factor; a factor of 1: nothing.
inline void multiply_by(float* values, float factor, std::size_t n) noexcept {
    if (factor == 1.0f) return;
    for (std::size_t i = 0; i < n; ++i) values[i] *= factor;
}

} // namespace pillar::forward
