// The header's fixed fields, then metadata, tensor directory and the alignment of the data.

#include "parse.hpp"

#include "cursor.hpp"
#include "read_metadata.hpp"
#include "read_tensors.hpp"

#include "pillar/core/hash.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/gguf/directory.hpp"

#include <algorithm>
#include <bit>
#include <fmt/core.h>

namespace pillar::gguf {

namespace {

constexpr std::string_view magic = "GGUF";

void read_magic(Cursor& cursor) {
    if (cursor.file_bytes() == 0)
        throw cursor.error("magic", 0, "the file is empty; download it again");
    const auto bytes = cursor.take(magic.size(), "magic");
    const std::string_view found(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (found == magic) return;
    const auto* hint =
        found == "vers" ? " (it looks like a Git LFS pointer: fetch the real file)" : "";
    throw cursor.error(
        "magic", 0,
        fmt::format("is \"{}\", not \"GGUF\"; this is not a GGUF file{}", printable(found), hint));
}

std::uint32_t read_version(Cursor& cursor) {
    const std::uint64_t start = cursor.position();
    const auto version = cursor.read<std::uint32_t>("version");
    if (version == 2 || version == 3) return version;
    if (version > 0xFFFF)
        throw cursor.error("version", start,
                           fmt::format("is {:#x}; the file is byte-swapped (big-endian), convert "
                                       "it again for little-endian machines",
                                       version));
    if (version > 3)
        throw cursor.error("version", start,
                           fmt::format("is {}; versions 2 and 3 can be read, a newer pillar may "
                                       "read this one",
                                       version));
    throw cursor.error(
        "version", start,
        fmt::format("is {}; versions 2 and 3 can be read, convert the model again", version));
}

std::uint64_t read_count(Cursor& cursor, std::string_view field, std::uint64_t highest) {
    const std::uint64_t start = cursor.position();
    const auto count = cursor.read<std::uint64_t>(field);
    if (count > highest)
        throw cursor.error(field, start,
                           fmt::format("is {}, more than the {} allowed", count, highest));
    return count;
}

std::uint32_t alignment_of(const Metadata& metadata) {
    constexpr std::string_view key = "general.alignment";
    const Value* found = metadata.find(key);
    if (found == nullptr) return 32;
    const auto* alignment = std::get_if<std::uint32_t>(&found->value);
    if (alignment == nullptr)
        throw metadata.error(key,
                             fmt::format("is of type {}, but u32 is needed", name_of(found->type)));
    if (!std::has_single_bit(*alignment) || *alignment > max_alignment)
        throw metadata.error(
            key, fmt::format("is {}, no power of two up to {}", *alignment, max_alignment));
    return *alignment;
}

Directory parse_all(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                    const std::string& name) {
    Cursor cursor(bytes, file_bytes, name);
    Directory directory;
    read_magic(cursor);
    directory.version = read_version(cursor);
    const std::uint64_t counts_position = cursor.position();
    const std::uint64_t n_tensors = read_count(cursor, "tensor count", max_tensors);
    const std::uint64_t n_pairs = read_count(cursor, "metadata count", max_metadata_pairs);
    cursor.expect_room(n_pairs, min_pair_bytes, "metadata count", counts_position + 8);
    cursor.expect_room(n_tensors, min_tensor_bytes, "tensor count", counts_position);

    directory.metadata = Metadata(name);
    read_metadata(cursor, n_pairs, directory.metadata, directory.warnings);
    directory.alignment = alignment_of(directory.metadata);
    cursor.expect_room(n_tensors, min_tensor_bytes, "tensor count", counts_position);
    std::vector<std::uint64_t> positions;
    directory.tensors = read_tensors(cursor, n_tensors, positions);

    directory.data_offset =
        *checked_round_up<std::uint64_t>(cursor.position(), directory.alignment);
    place_tensors(cursor, positions, directory);
    const std::uint64_t header_end = std::min(directory.data_offset, file_bytes);
    if (header_end > bytes.size()) throw MoreBytesNeeded{header_end};
    directory.header_hash = hash_bytes(bytes.first(header_end));
    return directory;
}

} // namespace

std::variant<Directory, std::uint64_t> parse_beginning(std::span<const std::byte> bytes,
                                                       std::uint64_t file_bytes,
                                                       const std::string& name) {
    try {
        return parse_all(bytes, file_bytes, name);
    } catch (const MoreBytesNeeded& more) {
        return more.n_bytes;
    }
}

Directory parse(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                const std::string& name) {
    auto result = parse_beginning(bytes, file_bytes, name);
    if (const auto* needed = std::get_if<std::uint64_t>(&result))
        throw FormatError(
            name, "header", bytes.size(),
            fmt::format("goes on beyond the bytes at hand, to byte {} at least", *needed));
    return std::get<Directory>(std::move(result));
}

} // namespace pillar::gguf
