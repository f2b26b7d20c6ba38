#pragma once
// Writes a GGUF file (version 3): what tests and `quantize` need. Metadata first, then tensors,
// streamed in the order of their declaration. Written as FILE.part and renamed, so that no
// half-written model is ever found under its name.

#include "pillar/gguf/value.hpp"
#include "pillar/quant/type.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pillar::gguf {

class Writer {
  public:
    /// Throws IoError(cannot_create).
    explicit Writer(const std::filesystem::path& path, std::uint32_t alignment = 32);
    ~Writer(); ///< removes an unfinished file
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Keys in the order of the file. `general.alignment` is the constructor's and passed over
    /// here; an array of arrays, whose content is not kept, is a FormatError.
    void add(std::string key, Value value);
    /// Declare a tensor; shape in ggml's order (columns first). All are declared before the first
    /// data.
    void declare(std::string name, quant::Type type, std::vector<std::uint64_t> shape);
    /// Append the data of the next declared tensor, whole or in pieces. Throws IoError(io).
    void write(std::span<const std::byte> bytes);
    /// Finish: pad, flush, rename. Throws when data are missing.
    void close();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace pillar::gguf
