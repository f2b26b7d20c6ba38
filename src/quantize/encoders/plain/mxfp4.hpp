#pragma once
// MXFP4: 2^(e − 128) · {0, 1, 2, 3, 4, 6, 8, 12} with a sign. Scales are powers of two: the one
// that brings the largest weight to the top levels is tried, and its neighbours. Layout:
// quant/formats/low_bit/mxfp4.hpp.

#include "encoders/pack.hpp"
#include "encoders/scaled_search.hpp"

#include "pillar/quant/formats/low_bit/mxfp4.hpp"

#include <bit>

namespace pillar::quantize {

struct EncodeMXFP4 {
    using Format = quant::MXFP4;
    static constexpr bool counts_large_weights_more = true;

    [[gnu::always_inline]] static void encode(const float* x, const float* w, std::byte* out) {
        const float extreme = std::fabs(largest<32>(x));
        const int exponent = static_cast<int>(std::bit_cast<std::uint32_t>(extreme) >> 23);
        const int first = exponent < 3 ? 0 : exponent - 3; // exponent - 2: the largest is 8 … 16
        int best = first;
        float best_error = std::numeric_limits<float>::infinity();
        for (int e = first; e < first + 3; ++e) {
            const float d = scale_of(e);
            float error = 0.0f;
            for (std::size_t k = 0; k < 32; ++k) {
                const float off = std::fabs(x[k]) - d * magnitude(std::fabs(x[k]), d);
                error += w[k] * (off * off);
            }
            if (error < best_error) {
                best_error = error;
                best = e;
            }
        }
        const float d = scale_of(best);
        std::uint8_t n[32];
        for (std::size_t k = 0; k < 32; ++k)
            n[k] = static_cast<std::uint8_t>(place(std::fabs(x[k]), d) + (x[k] < 0.0f ? 8 : 0));
        out[0] = static_cast<std::byte>(best);
        store_nibbles(out + 1, n);
    }

  private:
    [[gnu::always_inline]] static float scale_of(int e) {
        const auto byte = static_cast<std::byte>(e);
        return quant::MXFP4::factors(&byte).d;
    }
    /// Of the nearest magnitude: how many middles between two neighbours are passed.
    [[gnu::always_inline]] static int place(float x, float d) {
        int above = 0;
        for (std::size_t i = 0; i < 7; ++i) {
            const int twice_middle = quant::mxfp4_values[i] + quant::mxfp4_values[i + 1];
            above += x > d * (0.5f * static_cast<float>(twice_middle)) ? 1 : 0;
        }
        return above;
    }
    [[gnu::always_inline]] static float magnitude(float x, float d) {
        float value = 0.0f;
        for (std::size_t i = 0; i < 7; ++i) {
            const int two = quant::mxfp4_values[i] + quant::mxfp4_values[i + 1];
            const int step = quant::mxfp4_values[i + 1] - quant::mxfp4_values[i];
            value += x > d * (0.5f * static_cast<float>(two)) ? static_cast<float>(step) : 0.0f;
        }
        return value;
    }
};

} // namespace pillar::quantize
