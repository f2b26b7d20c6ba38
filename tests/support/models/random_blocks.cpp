// A block gets random bytes throughout; then its one or two factors are set to what makes the
// weights' spread as wanted. The spread of the bare integers follows from each format's definition,
// all bits being equally likely.

#include "support/models/random_blocks.hpp"

#include "pillar/core/half.hpp"
#include "pillar/quant/synthetic.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace pillar::support {

namespace {

using quant::Type;

void put_half(std::string& bytes, std::size_t place, double value) {
    const std::uint16_t half = f32_to_f16(static_cast<float>(value));
    std::memcpy(bytes.data() + place, &half, sizeof half);
}

/// IQ1_M's d: in the top nibbles of four bytes, every other one.
void put_top_nibbles(std::string& bytes, std::size_t place, double value) {
    const unsigned half = f32_to_f16(static_cast<float>(value));
    for (std::size_t i = 0; i < 4; ++i) {
        char& byte = bytes[place + 2 * i];
        byte = static_cast<char>((byte & 15) | (((half >> (4 * i)) & 15) << 4));
    }
}

/// The exponent of MXFP4's scale: one of the powers of two about `scale`, so that the mean square
/// is right.
char random_exponent(double scale, Random& random) {
    const double below = std::floor(std::log2(scale));
    const double share_above = (scale * scale / std::exp2(2 * below) - 1) / 3;
    return static_cast<char>(below + 128 + (random.uniform() < share_above ? 1 : 0));
}

std::string random_floats(Type type, std::uint64_t n, double deviation, Random& random) {
    const std::size_t width = quant::info(type).block_bytes;
    std::string bytes(n * width, '\0');
    for (std::uint64_t i = 0; i < n; ++i) {
        const auto value = static_cast<float>(deviation * random.centred());
        const auto bits = std::bit_cast<std::uint32_t>(value);
        const auto half =
            type == Type::f16 ? f32_to_f16(value) : static_cast<std::uint16_t>(bits >> 16);
        char* place = bytes.data() + i * width;
        if (type == Type::f32)
            std::memcpy(place, &bits, sizeof bits);
        else
            std::memcpy(place, &half, sizeof half);
    }
    return bytes;
}

} // namespace

std::string random_blocks(Type type, std::uint64_t n_weights, double deviation, Random& random) {
    if (quant::is_float(type)) return random_floats(type, n_weights, deviation, random);
    const quant::TypeInfo& info = quant::info(type);
    if (n_weights % info.block_weights != 0) throw std::logic_error("no whole number of blocks");
    const quant::BlockFactors& entry = quant::block_factors_of(type);
    const std::uint64_t n_blocks = n_weights / info.block_weights;
    std::string bytes = random.bytes(n_blocks * info.block_bytes);
    for (std::uint64_t i = 0; i < n_blocks; ++i) {
        if (type == Type::mxfp4) {
            bytes[i * info.block_bytes] = random_exponent(deviation / entry.deviation, random);
            continue;
        }
        const double spread = 0.5 + random.uniform(); // its mean square is 13/12
        const double sign =
            random.below(2) == 0 ? 1.0 : -1.0; // takes what is left of the mean away
        const double d = sign * spread * deviation / entry.deviation / std::sqrt(13.0 / 12.0);
        if (type == Type::iq1_m) {
            put_top_nibbles(bytes, i * info.block_bytes + 49, d);
            continue;
        }
        put_half(bytes, i * info.block_bytes + entry.d, d);
        if (entry.second != 0)
            put_half(bytes, i * info.block_bytes + entry.second, entry.ratio * d);
    }
    return bytes;
}

} // namespace pillar::support
