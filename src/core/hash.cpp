// h ← mix((h ⊕ word) + step · golden), a word being 8 bytes; the last 1…7 bytes are padded with
// zeros and take step = 1 + their number, a whole word takes 1, so that "a" and "a\0" differ. mix
// is the finaliser of SplitMix64 (Steele, Lea, Flood 2014), a bijection in which every input bit
// reaches every output bit.

#include "pillar/core/hash.hpp"

#include <cstring>

namespace pillar {

namespace {

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ull; // 2^64 / golden ratio, odd

std::uint64_t absorb(std::uint64_t state, std::uint64_t word, std::uint64_t step) noexcept {
    std::uint64_t z = (state ^ word) + step * golden;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

} // namespace

std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed) noexcept {
    std::uint64_t state = seed;
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, 8);
        state = absorb(state, word, 1);
    }
    if (const std::size_t rest = bytes.size() - i; rest != 0) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + i, rest);
        state = absorb(state, word, 1 + rest);
    }
    return state;
}

} // namespace pillar
