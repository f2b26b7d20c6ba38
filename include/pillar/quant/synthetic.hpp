#pragma once
// Weights that nobody trained: pseudo-random blocks of any format with scales of a sane size, for
// benchmarks and plans of models whose files are not at hand. Any piece of a tensor can be made by
// itself, the same bytes every time and on every machine; nothing is stored.

#include "pillar/quant/type.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pillar::quant {

/// Where a block's factor d lies, where the second (m or dmin; 0: there is none), which is
/// `ratio`·d and makes the mean 0, and the standard deviation of the weights when d = 1 and all
/// other bits are random. IQ1_M's d and MXFP4's exponent are not f16 at `d`.
struct BlockFactors {
    Type type;
    std::size_t d;
    std::size_t second;
    double ratio;
    double deviation;
};
[[nodiscard]] const BlockFactors& block_factors_of(Type type);

class SyntheticWeights {
  public:
    /// Weights of mean 0 and roughly this standard deviation (float types: within a factor of 2).
    SyntheticWeights(Type type, std::uint64_t seed, double deviation);
    /// f32 weights of a norm: 1 … 1.25.
    static SyntheticWeights norm(std::uint64_t seed);

    /// Bytes [begin, begin + out.size()) of the tensor. Thread-safe, allocates nothing.
    void fill(std::uint64_t begin, std::span<std::byte> out) const noexcept;

  private:
    /// A block's f16 factors d and, where the format has it, the minimum's; MXFP4: the exponent.
    struct Factors {
        std::uint16_t d;
        std::uint16_t second;
    };

    SyntheticWeights() = default;
    void set_factors(std::uint64_t begin, std::span<std::byte> out) const noexcept;

    std::uint64_t seed_ = 0;
    // Every 8 bytes are (random & keep_) | set_: all of them of blocks, some bits of floats.
    std::uint64_t keep_ = ~std::uint64_t{0};
    std::uint64_t set_ = 0;
    std::size_t block_bytes_ = 0; ///< 0: a float type
    std::size_t d_place_ = 0;
    std::size_t d_bytes_ = 2;
    std::size_t second_place_ = 0; ///< 0: there is none
    bool in_nibbles_ = false;      ///< IQ1_M: d in the top nibbles of four bytes
    std::array<Factors, 256> factors_{};
};

} // namespace pillar::quant
