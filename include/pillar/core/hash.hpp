#pragma once
// A 64-bit hash for "are these the same bytes?": model headers, binaries, residuals, journal
// records. Not for security. One SplitMix64 mix a word of 8 bytes; the same value on every machine
// of the same byte order.

#include <cstddef>
#include <cstdint>
#include <span>

namespace pillar {

inline constexpr std::uint64_t hash_seed = 0xcbf29ce484222325ull;

/// Hash of `bytes`, continuing from `seed` so that pieces can be chained: hash(ab, s) = hash(b,
/// hash(a, s)) when the length of a is a multiple of 8 (otherwise the cut is part of the value); no
/// bytes give `seed` itself.
std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed = hash_seed) noexcept;

template <class T>
std::uint64_t hash_of(std::span<const T> values, std::uint64_t seed = hash_seed) noexcept {
    return hash_bytes(std::as_bytes(values), seed);
}

} // namespace pillar
