#pragma once
// Where results go: a file that grows by whole lines, each safe before it counts, of which a
// restart knows what is there. Or standard output.

#include "pillar/batch/batch.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/core/timing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pillar::batch {

/// Rank 0 only.
class ResultFile {
  public:
    /// Opens or makes the file, takes it for this process alone, reads what is there and cuts off a
    /// last line that is torn. Throws Error: another job writes it (77); it holds something else
    /// than results of the shard (73); IoError. `heartbeat` is called meanwhile.
    ResultFile(const std::string& path, Sync sync, const Shard& shard,
               FunctionRef<void()> heartbeat);
    ~ResultFile();
    ResultFile(const ResultFile&) = delete;
    ResultFile& operator=(const ResultFile&) = delete;

    /// Whether the line of the input has its result. `custom_id` must be the one that it had: else
    /// Error (73), the results are of another input.
    [[nodiscard]] bool has(std::uint64_t line, std::string_view custom_id) const;
    [[nodiscard]] std::size_t n_found() const noexcept { return found_.size(); }
    /// Bytes of a torn line that were cut off.
    [[nodiscard]] std::uint64_t n_torn() const noexcept { return n_torn_; }

    /// One result, without its line end. Throws IoError (74): what is there stays, and what was
    /// written of this line is cut off again.
    void append(std::string_view line, FunctionRef<void()> heartbeat);
    /// All that was appended is safe.
    void close();

  private:
    void scan(FunctionRef<void()> heartbeat);
    void read_result(std::string_view line, std::uint64_t number);
    [[noreturn]] void refuse_line(std::uint64_t number) const;

    std::string path_;
    Sync sync_;
    Shard shard_;   ///< that all of its results must be of
    int file_ = -1; ///< −1: standard output
    std::uint64_t size_ = 0;
    std::uint64_t n_torn_ = 0;
    bool is_dirty_ = false;
    Stopwatch since_sync_;
    /// Line → hash of its custom_id; nothing where that could not be read, which any may be.
    std::unordered_map<std::uint64_t, std::optional<std::uint64_t>> found_;
};

} // namespace pillar::batch
