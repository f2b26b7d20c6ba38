#pragma once
// TQ1_0: 256 weights in 54 bytes (1.6875 bits a weight). weight = d · (n − 1), n in 0…2. A byte
// holds up to five numbers as the digits of a fraction in base 3: digit i is the whole part of 3 ·
// (byte · 3^i mod 256) / 256.
//    0  32 bytes: byte k holds weight k of sub-blocks 0 … 4, digit after digit
//   32  16 bytes: byte k holds weights 160 + 16i + k, i = 0 … 4
//   48  4 bytes: byte k holds weights 240 + 4i + k, i = 0 … 3
//   52  f16 d

#include "pillar/quant/format.hpp"

namespace pillar::quant {

struct TQ1_0 {
    static constexpr Type type = Type::tq1_0;
    static constexpr Rule rule = Rule::scaled;
    static constexpr std::size_t weights = 256;
    static constexpr std::size_t bytes = 54;

    [[gnu::always_inline]] static Factors factors(const std::byte* block) noexcept {
        return {load_f16(block, 52)};
    }
    [[gnu::always_inline]] static void unpack(const std::byte* block, std::size_t sub,
                                              SubBlock& out) noexcept {
        for (std::size_t k = 0; k < 32; ++k) {
            const std::size_t i = 32 * sub + k;
            const Place place = i < 160   ? Place{i % 32, i / 32}
                                : i < 240 ? Place{32 + (i - 160) % 16, (i - 160) / 16}
                                          : Place{48 + (i - 240) % 4, (i - 240) / 4};
            out.q[k] =
                static_cast<std::int8_t>(digit(*bytes_at(block, place.byte), place.digit) - 1);
        }
    }

  private:
    /// Where a weight lies.
    struct Place {
        std::size_t byte, digit;
    };
    [[gnu::always_inline]] static int digit(unsigned byte, std::size_t i) noexcept {
        constexpr unsigned powers_of_3[] = {1, 3, 9, 27, 81};
        return static_cast<int>((byte * powers_of_3[i] % 256 * 3) >> 8);
    }
};

} // namespace pillar::quant
