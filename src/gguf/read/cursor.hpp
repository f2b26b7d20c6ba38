#pragma once
// A position in the bytes of a GGUF header. Every read is held against two ends: that of the file
// (beyond it the file is wrong) and that of the bytes at hand (beyond it more of the file must be
// fetched before parsing can go on).

#include "pillar/core/errors.hpp"
#include "pillar/gguf/value.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace pillar::gguf {

static_assert(std::endian::native == std::endian::little, "GGUF files are read as they lie");

/// Metadata and directory of the largest real models take some ten megabytes.
inline constexpr std::uint64_t max_header_bytes = 256u << 20;

/// Thrown when the file goes on beyond the bytes at hand: parse again with at least `n_bytes` of
/// them.
struct MoreBytesNeeded {
    std::uint64_t n_bytes;
};

class Cursor {
  public:
    Cursor(std::span<const std::byte> bytes, std::uint64_t file_bytes, const std::string& file)
        : bytes_(bytes), file_bytes_(file_bytes), file_(file) {}

    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    [[nodiscard]] std::uint64_t file_bytes() const noexcept { return file_bytes_; }
    [[nodiscard]] std::uint64_t left_in_file() const noexcept { return file_bytes_ - position_; }

    /// One number of `T`'s width, little-endian.
    template <class T>
    T read(std::string_view field) {
        T value{};
        std::memcpy(&value, take(sizeof(T), field).data(), sizeof(T));
        return value;
    }

    /// The next `n_bytes`, which stay where they are.
    std::span<const std::byte> take(std::uint64_t n_bytes, std::string_view field);

    /// A string: its length (at most `max_bytes`), then its bytes.
    std::string_view text(std::uint64_t max_bytes, std::string_view field);

    /// Hold a count, read at `count_position`, of things of at least `unit` bytes against what is
    /// left. Returns their bytes at that size, which are at hand.
    std::uint64_t expect_room(std::uint64_t count, std::uint64_t unit, std::string_view field,
                              std::uint64_t count_position) const;

    [[nodiscard]] FormatError error(std::string_view field, std::uint64_t position,
                                    const std::string& problem) const {
        return {file_, std::string(field), position, problem};
    }

  private:
    void expect_at_hand(std::uint64_t n_bytes, std::string_view field) const;

    std::span<const std::byte> bytes_;
    std::uint64_t file_bytes_;
    std::uint64_t position_ = 0;
    const std::string& file_;
};

} // namespace pillar::gguf
