// Bounds of every read from a header: the file's end, the bytes at hand, and what a header may take
// at most.

#include "cursor.hpp"

#include "pillar/core/sizes.hpp"

#include <fmt/core.h>

namespace pillar::gguf {

// Comparisons are with what is left, never of a sum with an end: position_ <= file_bytes_ always
// holds.
void Cursor::expect_at_hand(std::uint64_t n_bytes, std::string_view field) const {
    if (n_bytes > left_in_file())
        throw error(field, position_,
                    fmt::format("{} bytes are needed but the file has {} more; it is cut off, "
                                "download it again",
                                n_bytes, left_in_file()));
    const std::uint64_t end = position_ + n_bytes;
    if (end > max_header_bytes)
        throw error(field, position_,
                    fmt::format("metadata and tensor list go beyond byte {}, the most that is read",
                                max_header_bytes));
    if (end > bytes_.size()) throw MoreBytesNeeded{end};
}

std::span<const std::byte> Cursor::take(std::uint64_t n_bytes, std::string_view field) {
    expect_at_hand(n_bytes, field);
    const auto taken = bytes_.subspan(position_, n_bytes);
    position_ += n_bytes;
    return taken;
}

std::string_view Cursor::text(std::uint64_t max_bytes, std::string_view field) {
    const std::uint64_t start = position_;
    const auto length = read<std::uint64_t>(field);
    if (length > left_in_file())
        throw error(field, start,
                    fmt::format("a string of {} bytes begins here but the file has {} more; it is "
                                "damaged or cut off, download it again",
                                length, left_in_file()));
    if (length > max_bytes)
        throw error(field, start,
                    fmt::format("a string of {} bytes, longer than the {} allowed here", length,
                                max_bytes));
    const auto characters = take(length, field);
    return {reinterpret_cast<const char*>(characters.data()), characters.size()};
}

std::uint64_t Cursor::expect_room(std::uint64_t count, std::uint64_t unit, std::string_view field,
                                  std::uint64_t count_position) const {
    const auto n_bytes = checked_mul(count, unit);
    if (!n_bytes || *n_bytes > left_in_file())
        throw error(field, count_position,
                    fmt::format("{} entries of at least {} bytes are announced but the file has {} "
                                "more; it is damaged or cut off, download it again",
                                count, unit, left_in_file()));
    expect_at_hand(*n_bytes, field);
    return *n_bytes;
}

} // namespace pillar::gguf
