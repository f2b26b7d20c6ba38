#pragma once
// Models that lie in several files: names that end in "-00001-of-00003.gguf" and the keys split.no,
// split.count and split.tensors.count that each part carries.

#include "file_part.hpp"

#include <filesystem>
#include <vector>

namespace pillar::gguf {

/// More parts than this are refused: each takes a file descriptor on every rank.
inline constexpr std::uint64_t max_parts = 512;

/// Open the file, and when it is a part of a split model all of its parts, in order. Throws
/// FormatError when their numbers or tensor counts do not fit together, IoError (66) when one is
/// missing.
std::vector<FilePart> open_parts(const std::filesystem::path& path);

} // namespace pillar::gguf
