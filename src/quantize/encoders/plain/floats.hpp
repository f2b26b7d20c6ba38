#pragma once
// F16 and BF16: each weight alone, half to even.

#include "encoders/pack.hpp"

#include "pillar/quant/type.hpp"

namespace pillar::quantize {

struct EncodeF16 {
    struct Format {
        static constexpr quant::Type type = quant::Type::f16;
        static constexpr std::size_t weights = 1;
        static constexpr std::size_t bytes = 2;
    };
    static constexpr bool counts_large_weights_more = false;
    [[gnu::always_inline]] static void encode(const float* x, const float*, std::byte* out) {
        store_u16(out, 0, f32_to_f16(*x));
    }
};

struct EncodeBF16 {
    struct Format {
        static constexpr quant::Type type = quant::Type::bf16;
        static constexpr std::size_t weights = 1;
        static constexpr std::size_t bytes = 2;
    };
    static constexpr bool counts_large_weights_more = false;
    [[gnu::always_inline]] static void encode(const float* x, const float*, std::byte* out) {
        const std::uint32_t bits = __builtin_bit_cast(std::uint32_t, *x);
        const std::uint32_t odd = (bits >> 16) & 1u;
        store_u16(out, 0, static_cast<std::uint16_t>((bits + 0x7FFFu + odd) >> 16));
    }
};

} // namespace pillar::quantize
