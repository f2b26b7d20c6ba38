// Linear probing; a slot keeps 32 bits of the hash beside the number, so that nearly every
// comparison of bytes is the one that succeeds.

#include "pillar/tokenizer/piece_index.hpp"

#include "seed.hpp"

#include "pillar/core/hash.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace pillar::tokenizer {

namespace {

constexpr std::size_t first_slots = 1024;

constexpr std::uint32_t upper_half(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32);
}

} // namespace

PieceIndex::PieceIndex(std::size_t expected)
    : slots_(std::bit_ceil(std::max(first_slots, 2 * expected + 2))), seed_(process_seed()) {}

std::uint64_t PieceIndex::hash(std::string_view text) const noexcept {
    return hash_of(std::span(text.data(), text.size()), seed_);
}

std::size_t PieceIndex::slot_of(std::string_view bytes, std::uint64_t hash) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t place = hash & mask;
    while (slots_[place].number != none &&
           (slots_[place].hash != upper_half(hash) || text(slots_[place].number) != bytes))
        place = (place + 1) & mask;
    return place;
}

std::uint32_t PieceIndex::find(std::string_view bytes) const noexcept {
    if (bytes.size() > longest_) return none;
    return slots_[slot_of(bytes, hash(bytes))].number;
}

std::uint32_t PieceIndex::add(std::string_view bytes) {
    if (2 * (size() + 1) > slots_.size()) grow();
    const std::uint64_t hashed = hash(bytes);
    Slot& slot = slots_[slot_of(bytes, hashed)];
    if (slot.number != none) return slot.number;
    slot = {upper_half(hashed), static_cast<std::uint32_t>(size())};
    arena_ += bytes;
    begins_.push_back(arena_.size());
    longest_ = std::max(longest_, bytes.size());
    return slot.number;
}

void PieceIndex::grow() {
    slots_.assign(2 * slots_.size(), Slot{});
    for (std::uint32_t number = 0; number < size(); ++number) {
        const std::uint64_t hashed = hash(text(number));
        slots_[slot_of(text(number), hashed)] = {upper_half(hashed), number};
    }
}

} // namespace pillar::tokenizer
