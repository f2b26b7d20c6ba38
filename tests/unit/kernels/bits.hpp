#pragma once
// Comparing floats bit by bit, and by normalised mean square error against doubles.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>
#include <span>
#include <vector>

namespace pillar::kernels {

inline std::vector<std::uint32_t> bits_of(std::span<const float> values) {
    std::vector<std::uint32_t> bits;
    for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
    return bits;
}

/// Equal bits everywhere; NaNs at the same places, whatever their payload.
inline testing::AssertionResult same_bits(std::span<const float> a, std::span<const float> b) {
    if (a.size() != b.size()) return testing::AssertionFailure() << a.size() << " vs " << b.size();
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::isnan(a[i]) && std::isnan(b[i])) continue;
        if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]))
            return testing::AssertionFailure() << "element " << i << ": " << a[i] << " vs " << b[i];
    }
    return testing::AssertionSuccess();
}

/// Σ(y − x)² / Σx² with x exact.
inline double nmse(std::span<const float> y, std::span<const double> exact) {
    double error = 0;
    double power = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        error += (y[i] - exact[i]) * (y[i] - exact[i]);
        power += exact[i] * exact[i];
    }
    return power > 0 ? error / power : error;
}

} // namespace pillar::kernels
