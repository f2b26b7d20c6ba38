#pragma once
// Q8_0: 32 weights in 34 bytes (8.5 bits a weight). weight = d · n, n in −128…127.
//   0  f16 d
//   2  32 signed bytes

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct Q8_0 {
    static constexpr Type type = Type::q8_0;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 32;
    static constexpr std::size_t bytes = 34;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 0)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t,
                                              SubBlock& out) noexcept {
        std::memcpy(out.q, block + 2, sizeof out.q);
    }
};

} // namespace pillar::quant
