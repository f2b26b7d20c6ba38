#pragma once
// Random rows of weights in any format and random activations, the same on every machine: integers
// only decide the bytes. Scales are moderate f16 numbers of either sign, all else is arbitrary
// bits.

#include "pillar/quant/type.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace pillar::support {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(next() % n); }
    /// In (−1, 1), in steps of 2^-23.
    float unit() {
        return static_cast<float>(static_cast<std::int32_t>(below(1u << 24)) - (1 << 23)) *
               0x1p-23f;
    }

  private:
    std::uint64_t state_;
};

/// Rows of one tensor as they lie in a file.
struct Rows {
    quant::Type type;
    std::size_t n_rows;
    std::size_t n_columns;
    std::vector<std::byte> bytes;

    [[nodiscard]] std::size_t row_bytes() const { return bytes.size() / n_rows; }
    [[nodiscard]] const std::byte* row(std::size_t r) const {
        return bytes.data() + r * row_bytes();
    }
    /// The decoded row.
    [[nodiscard]] std::vector<float> weights(std::size_t r) const {
        std::vector<float> decoded(n_columns);
        quant::decode_row(type, {row(r), row_bytes()}, decoded);
        return decoded;
    }
};

/// Where a block keeps its f16 factors.
inline std::vector<std::size_t> factor_offsets(quant::Type type) {
    using quant::Type;
    switch (type) {
    case Type::q4_1:
    case Type::q5_1:
    case Type::q4_k:
    case Type::q5_k:
        return {0, 2};
    case Type::q2_k:
        return {80, 82};
    case Type::q3_k:
        return {108};
    case Type::q6_k:
        return {208};
    case Type::tq1_0:
        return {52};
    case Type::tq2_0:
        return {64};
    case Type::mxfp4: // has an exponent of one byte in the first place
    case Type::iq1_m: // set_iq1_m_scale
        return {};
    default:
        return {0};
    }
}

/// IQ1_M's f16 d lies in the top nibbles of four bytes.
inline void set_iq1_m_scale(std::byte* block, std::uint16_t half) {
    for (std::size_t i = 0; i < 4; ++i) {
        std::byte& byte = block[49 + 2 * i];
        byte = (byte & std::byte{15}) | static_cast<std::byte>(((half >> (4 * i)) & 15) << 4);
    }
}

inline void put_weight(quant::Type type, Random& random, std::byte* block) {
    const float value = random.unit();
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    std::uint16_t half = 0;
    switch (type) {
    case quant::Type::f32:
        std::memcpy(block, &bits, 4);
        return;
    case quant::Type::bf16:
        half = static_cast<std::uint16_t>(bits >> 16);
        break;
    default: // an f16 of magnitude 2^-9 … 2^-4
        half = static_cast<std::uint16_t>(0x1800u + random.below(0x1400u) + (bits >> 31 << 15));
    }
    std::memcpy(block, &half, 2);
}

inline Rows random_rows(quant::Type type, std::size_t n_rows, std::size_t n_columns,
                        std::uint64_t seed) {
    const quant::TypeInfo& format = quant::info(type);
    const std::size_t n_blocks = n_columns / format.block_weights;
    Rows rows{type, n_rows, n_columns,
              std::vector<std::byte>(n_rows * n_blocks * format.block_bytes)};
    Random random(seed);
    for (std::byte& byte : rows.bytes) byte = static_cast<std::byte>(random.next() >> 56);
    const bool in_blocks = format.block_weights > 1;
    const std::vector<std::size_t> offsets =
        in_blocks ? factor_offsets(type) : std::vector<std::size_t>{0};
    for (std::size_t b = 0; b < n_rows * n_blocks; ++b)
        for (const std::size_t offset : offsets)
            put_weight(in_blocks ? quant::Type::f16 : type, random,
                       rows.bytes.data() + b * format.block_bytes + offset);
    if (type == quant::Type::mxfp4) // scales of 2^-9 … 2^-4
        for (std::size_t b = 0; b < n_rows * n_blocks; ++b)
            rows.bytes[b * format.block_bytes] = static_cast<std::byte>(119 + random.below(6));
    if (type == quant::Type::iq1_m)
        for (std::size_t b = 0; b < n_rows * n_blocks; ++b) {
            std::byte half[2];
            put_weight(quant::Type::f16, random, half);
            std::uint16_t bits = 0;
            std::memcpy(&bits, half, sizeof bits);
            set_iq1_m_scale(rows.bytes.data() + b * format.block_bytes, bits);
        }
    return rows;
}

/// n values whose size differs from block to block; some blocks of 32 are all zero.
inline std::vector<float> random_activations(std::size_t n, std::uint64_t seed) {
    Random random(seed);
    std::vector<float> x(n);
    float size = 1.0f;
    for (std::size_t i = 0; i < n; ++i) {
        if (i % 32 == 0) {
            constexpr float sizes[] = {1.0f, 0.01f, 30.0f, 0.3f, 2.5f, 0.0f, 1.7f, 5.0f};
            size = sizes[random.below(8)];
        }
        x[i] = random.unit() * size;
    }
    return x;
}

} // namespace pillar::support
