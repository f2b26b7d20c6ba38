#pragma once
// A prompt cache as a file: a head, the tokens, then for each layer and KV head the keys and values
// of all positions, and a hash. docs/command_line.md has the bytes. Rank 0 only.

#include "pillar/core/output_file.hpp"
#include "pillar/prompt_cache/identity.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::prompt_cache {

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using FilePointer = std::unique_ptr<std::FILE, CloseFile>;

class CacheReader {
  public:
    /// Reads head and tokens. Throws FormatError where the file is damaged or none of these,
    /// Error(refused) where it is of another model, cache type or version, IoError.
    CacheReader(const std::string& path, const Identity& identity);

    [[nodiscard]] std::span<const tokenizer::TokenId> tokens() const noexcept { return tokens_; }
    /// How its numbers came about: what arithmetic_of() said where it was written.
    [[nodiscard]] const std::string& arithmetic() const noexcept { return arithmetic_; }
    /// The rows of the next layer and head, all positions: n_layers · n_kv_heads times.
    void next(std::span<std::byte> rows);
    /// After the last of them: throws FormatError where they are not what was written.
    void expect_whole();

  private:
    void read(std::span<std::byte> bytes);

    std::string path_;
    FilePointer file_;
    std::vector<tokenizer::TokenId> tokens_;
    std::string arithmetic_;
    std::uint64_t hash_ = 0;
};

/// Written beside its target, which it replaces when whole. A failure is kept and told by finish(),
/// so that ranks which send on are not left alone.
class CacheWriter {
  public:
    CacheWriter(const std::string& path, const Identity& identity, std::string_view arithmetic,
                std::span<const tokenizer::TokenId> tokens);

    /// The rows of the next layer and head.
    void next(std::span<const std::byte> rows);
    /// Throws IoError.
    void finish();
    [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_; }

  private:
    void write(std::span<const std::byte> bytes);

    std::string path_;
    OutputFile output_;
    FilePointer file_;
    std::uint64_t hash_ = 0;
    std::uint64_t size_ = 0;
    int errno_ = 0; ///< of the first failure
};

} // namespace pillar::prompt_cache
