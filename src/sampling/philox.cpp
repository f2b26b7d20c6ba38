// Ten rounds of two 32×32-bit products whose halves change places, the key moving on by Weyl steps.

#include "pillar/sampling/philox.hpp"

#include "pillar/sampling/sampling.hpp"

namespace pillar::sampling {

namespace {

constexpr std::uint32_t low(std::uint64_t x) {
    return static_cast<std::uint32_t>(x);
}
constexpr std::uint32_t high(std::uint64_t x) {
    return static_cast<std::uint32_t>(x >> 32);
}

} // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) noexcept {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
        key[0] += 0x9E3779B9; // golden ratio
        key[1] += 0xBB67AE85; // √3 − 1
    }
    return counter;
}

double uniform(std::uint64_t seed, std::uint64_t sequence, std::uint64_t position) noexcept {
    const auto words = philox4x32({low(position), high(position), low(sequence), high(sequence)},
                                  {low(seed), high(seed)});
    const std::uint64_t bits = (std::uint64_t{words[1]} << 32) | words[0];
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

} // namespace pillar::sampling
