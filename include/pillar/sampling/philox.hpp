#pragma once
// Philox4x32-10: a counter-based generator of random numbers. There is no state: number i of stream
// s is a function of both, so every rank and every rerun can have it without the ones before.
// Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC11), section 3.3.

#include <array>
#include <cstdint>

namespace pillar::sampling {

/// Four random words for a counter and a key (words from low to high).
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) noexcept;

} // namespace pillar::sampling
