#pragma once
// The few bytes around a journal's payloads.

#include "journal/records.hpp"

#include "pillar/core/hash.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace pillar::recording {

inline constexpr std::array<char, 8> journal_magic{'p', 'i', 'l', 'l', 'a', 'r', 'j', '\n'};

struct RecordHead {
    RecordType type{};
    std::uint32_t n_to_come = 0; ///< steps of the same gather in the records that follow
    std::uint64_t length = 0;    ///< bytes of payload
    std::uint64_t checksum = 0;  ///< of type, length and payload
};
static_assert(sizeof(RecordHead) == 24);

[[nodiscard]] inline std::uint64_t checksum_of(RecordHead head,
                                               std::span<const std::byte> payload) noexcept {
    head.checksum = 0;
    const std::uint64_t seed = hash_bytes(std::as_bytes(std::span(&head, 1)));
    return hash_bytes(payload, seed);
}

} // namespace pillar::recording
