#pragma once
// What stands before the tensors' data: header, metadata, tensor directory. The parser works on a
// memory span (fuzzable, no file needed); every size is checked before anything is allocated.

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pillar::gguf {

/// What one part says before its tensor data.
struct Directory {
    std::uint32_t version = 0;
    std::uint32_t alignment = 32;
    std::uint64_t data_offset = 0; ///< absolute offset of the tensor data section
    /// Hash of bytes [0, data_offset): equal on all ranks or the run is refused.
    std::uint64_t header_hash = 0;
    Metadata metadata;
    std::vector<TensorInfo> tensors;   ///< in file order
    std::vector<std::string> warnings; ///< what is odd but harmless, one sentence each
};

/// Parse header, metadata and directory. `bytes` is the file from its beginning, at least up to the
/// data section; `file_bytes` its whole length (extents are checked against it); `name` is used in
/// errors only. Throws FormatError. Allocates no more than a small multiple of `bytes.size()`.
Directory parse(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                const std::string& name);

} // namespace pillar::gguf
