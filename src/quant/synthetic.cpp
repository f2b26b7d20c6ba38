// The random bytes are a counter-based stream (SplitMix64's mix of seed and word number). A block
// gets them throughout; then its one or two factors are set to what makes the weights' spread as
// wanted. The spread of the bare integers follows from each format's definition, all bits being
// equally likely. Floats keep sign, mantissa and the lowest bit of the exponent; the rest is set.

#include "pillar/quant/synthetic.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/half.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace pillar::quant {

namespace {

// Independent uniform integers: Var(s·q) = E[s²]E[q²] − E[s]²E[q]², and the mins' variance is added
// to it. Points of the grids: as counted in random blocks.
constexpr BlockFactors block_factors[] = {
    {Type::q4_0, 0, 0, 0, 4.64},     // q − 8
    {Type::q4_1, 0, 2, -7.5, 4.61},  // q + m
    {Type::q5_0, 0, 0, 0, 9.25},     // q − 16
    {Type::q5_1, 0, 2, -15.5, 9.23}, // q + m
    {Type::q8_0, 0, 0, 0, 73.9},     // int8
    {Type::q2_k, 80, 82, 1.5, 13.9}, // 4-bit scale · 2-bit q − 4-bit min
    {Type::q3_k, 108, 0, 0, 43.3},   // (6-bit scale − 32) · (q − 4)
    {Type::q4_k, 0, 2, 7.5, 258.0},  // 6-bit scale · 4-bit q − 6-bit min
    {Type::q5_k, 0, 2, 15.5, 527.0}, // 6-bit scale · 5-bit q − 6-bit min
    {Type::q6_k, 208, 0, 0, 1366.0}, // int8 scale · (q − 32)
    {Type::iq4_nl, 0, 0, 0, 67.4},   // table of 16
    {Type::iq4_xs, 0, 0, 0, 1246.0}, // (6-bit scale − 32) · table of 16
    {Type::iq2_xxs, 0, 0, 0, 53.2},  // odd scale of 1 … 31 · point / 8
    {Type::iq2_xs, 0, 0, 0, 55.9},   // likewise
    {Type::iq2_s, 0, 0, 0, 56.4},    // likewise
    {Type::iq3_xxs, 0, 0, 0, 142.3}, // odd scale of 1 … 31 · point / 4
    {Type::iq3_s, 0, 0, 0, 140.1},   // odd scale of 1 … 31 · point
    {Type::iq1_s, 0, 0, 0, 7.22},    // odd scale of 1 … 15 · (point ± 1/8)
    {Type::iq1_m, 0, 0, 0, 7.20},    // likewise
    {Type::tq1_0, 52, 0, 0, 0.817},  // q − 1, q in 0…2
    {Type::tq2_0, 64, 0, 0, 1.225},  // q − 1, q in 0…3
    {Type::mxfp4, 0, 0, 0, 5.85},    // table of 16
    {Type::q1_0, 0, 0, 0, 1.0},      // ±1
    {Type::q2_0, 0, 0, 0, 1.225},    // q − 1, q in 0…3
};

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15u;

constexpr std::uint64_t mix(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/// Biased exponent of the lower of two binades over which uniform magnitudes have this deviation;
/// even, so that its lowest bit can be random.
std::uint64_t float_exponent(double deviation, int bias, std::uint64_t highest) {
    const double lower = deviation / 2.415; // √((7/3 + 4·7/3) / 2)
    const auto exponent = static_cast<std::int64_t>(std::floor(std::log2(lower))) + bias;
    return static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(exponent + (exponent & 1), 2, static_cast<std::int64_t>(highest)));
}

/// The exponent byte of MXFP4 for the i-th of n blocks, whose scales have this root mean square:
/// the powers of two below and above it, as many of each as it takes.
std::uint16_t scale_exponent(double scale, std::size_t i, std::size_t n) {
    const double below = std::floor(std::log2(scale));
    const double share_above = (scale * scale / std::exp2(2 * below) - 1) / 3;
    const bool above = static_cast<double>(i) + 0.5 < share_above * static_cast<double>(n);
    return static_cast<std::uint16_t>(std::clamp(below + 128 + (above ? 1 : 0), 0.0, 254.0));
}

std::uint64_t repeat(std::uint64_t pattern, int bits) {
    for (; bits < 64; bits *= 2) pattern |= pattern << bits;
    return pattern;
}

} // namespace

const BlockFactors& block_factors_of(Type type) {
    const auto* found = std::ranges::find(block_factors, type, &BlockFactors::type);
    expects(found != std::end(block_factors), "every block format has factors here");
    return *found;
}

SyntheticWeights::SyntheticWeights(Type type, std::uint64_t seed, double deviation)
    : seed_(mix(seed + golden)) {
    expects(deviation > 0, "weights have a spread");
    if (type == Type::f32) {
        keep_ = repeat(0x80FF'FFFFu, 32);
        set_ = repeat(float_exponent(deviation, 127, 250) << 23, 32);
    } else if (type == Type::bf16) {
        keep_ = repeat(0x80FFu, 16);
        set_ = repeat(float_exponent(deviation, 127, 250) << 7, 16);
    } else if (type == Type::f16) {
        keep_ = repeat(0x87FFu, 16);
        set_ = repeat(float_exponent(deviation, 15, 28) << 10, 16);
    } else {
        const BlockFactors& block = block_factors_of(type);
        block_bytes_ = info(type).block_bytes;
        d_place_ = block.d;
        second_place_ = block.second;
        in_nibbles_ = type == Type::iq1_m;
        if (type == Type::mxfp4) {
            d_bytes_ = 1;
            for (std::size_t i = 0; i < factors_.size(); ++i)
                factors_[i] = {scale_exponent(deviation / block.deviation, i, factors_.size()), 0};
            return;
        }
        for (std::size_t i = 0; i < factors_.size(); ++i) {
            // both signs, which takes what is left of the mean away; the mean square is 13/12
            const double spread = 0.5 + static_cast<double>(i / 2) / 127.0;
            const double d = (i % 2 == 0 ? 1.0 : -1.0) * spread * deviation / block.deviation /
                             std::sqrt(13.0 / 12.0);
            factors_[i] = {f32_to_f16(static_cast<float>(d)),
                           f32_to_f16(static_cast<float>(block.ratio * d))};
        }
    }
}

SyntheticWeights SyntheticWeights::norm(std::uint64_t seed) {
    SyntheticWeights weights;
    weights.seed_ = mix(seed + golden);
    weights.keep_ = repeat(0x001F'FFFFu, 32);
    weights.set_ = repeat(0x3F80'0000u, 32);
    return weights;
}

void SyntheticWeights::fill(std::uint64_t begin, std::span<std::byte> out) const noexcept {
    const auto word_at = [this](std::uint64_t index) {
        return (mix(seed_ + index * golden) & keep_) | set_;
    };
    std::uint64_t place = begin;
    std::byte* to = out.data();
    std::size_t left = out.size();
    const auto put_part = [&](std::size_t n_bytes) { // not beyond the end of the word
        const std::uint64_t word = word_at(place / 8) >> (8 * (place % 8));
        std::memcpy(to, &word, n_bytes);
        place += n_bytes, to += n_bytes, left -= n_bytes;
    };
    if (place % 8 != 0) put_part(std::min<std::size_t>(left, 8 - place % 8));
    for (; left >= 8; place += 8, to += 8, left -= 8) {
        const std::uint64_t word = word_at(place / 8);
        std::memcpy(to, &word, 8);
    }
    if (left > 0) put_part(left);
    if (block_bytes_ > 0) set_factors(begin, out);
}

void SyntheticWeights::set_factors(std::uint64_t begin, std::span<std::byte> out) const noexcept {
    const std::uint64_t end = begin + out.size();
    const auto put = [&](std::uint64_t place, std::uint16_t factor, std::size_t n_bytes) {
        for (std::uint64_t i = 0; i < n_bytes; ++i)
            if (place + i >= begin && place + i < end)
                out[place + i - begin] = static_cast<std::byte>(factor >> (8 * i));
    };
    const auto put_top_nibble = [&](std::uint64_t place, unsigned nibble) {
        if (place < begin || place >= end) return;
        std::byte& byte = out[place - begin];
        byte = (byte & std::byte{15}) | static_cast<std::byte>(nibble << 4);
    };
    for (std::uint64_t block = begin / block_bytes_; block * block_bytes_ < end; ++block) {
        const Factors& f = factors_[mix(~seed_ + block * golden) & 0xFF];
        if (in_nibbles_) {
            for (std::uint64_t i = 0; i < 4; ++i)
                put_top_nibble(block * block_bytes_ + 49 + 2 * i, (f.d >> (4 * i)) & 15u);
            continue;
        }
        put(block * block_bytes_ + d_place_, f.d, d_bytes_);
        if (second_place_ != 0) put(block * block_bytes_ + second_place_, f.second, 2);
    }
}

} // namespace pillar::quant
