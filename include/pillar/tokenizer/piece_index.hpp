#pragma once
// Texts numbered in the order of their arrival, found again by their bytes: a hash table with open
// addressing over one arena. The hash is seeded afresh in every process, so that no file can be
// made whose pieces all collide.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::tokenizer {

class PieceIndex {
  public:
    static constexpr std::uint32_t none = UINT32_MAX;

    /// Room for `expected` texts; more find room, too.
    explicit PieceIndex(std::size_t expected = 0);

    /// The number of `text`: that of its first arrival, else the next one.
    std::uint32_t add(std::string_view text);
    /// The number of `text`, or `none`.
    [[nodiscard]] std::uint32_t find(std::string_view text) const noexcept;

    [[nodiscard]] std::string_view text(std::uint32_t number) const noexcept {
        return {arena_.data() + begins_[number], begins_[number + 1] - begins_[number]};
    }
    [[nodiscard]] std::size_t size() const noexcept { return begins_.size() - 1; }
    /// Bytes of the longest text.
    [[nodiscard]] std::size_t longest() const noexcept { return longest_; }

  private:
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t number = none;
    };

    [[nodiscard]] std::uint64_t hash(std::string_view text) const noexcept;
    [[nodiscard]] std::size_t slot_of(std::string_view text, std::uint64_t hash) const noexcept;
    void grow();

    std::string arena_;
    std::vector<std::size_t> begins_{0}; // of every text in the arena, and the end of the last
    std::vector<Slot> slots_;            // a power of two, at most half full
    std::size_t longest_ = 0;
    std::uint64_t seed_;
};

} // namespace pillar::tokenizer
