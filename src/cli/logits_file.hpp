#pragma once
// The file that `logits` writes: /ids (T) and /logits (T × vocabulary, f32), row t = logits after
// ids[0..t]. Written as FILE.part and renamed when whole.

#include "pillar/storage/writer.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pillar::cli {

/// Rank 0 only.
class LogitsFile {
  public:
    /// Throws IoError(cannot_create), also when the file exists and `overwrite` is false.
    LogitsFile(const std::string& path, std::span<const std::int32_t> ids, std::size_t vocab_size,
               bool overwrite);
    ~LogitsFile(); ///< removes what is unfinished
    LogitsFile(const LogitsFile&) = delete;
    LogitsFile& operator=(const LogitsFile&) = delete;

    /// Rows come in order.
    void append(std::span<const float> logits) { logits_->append(logits); }
    void close();

  private:
    std::string path_;
    std::string part_;
    std::optional<storage::File> file_;
    std::optional<storage::Column> logits_;
};

} // namespace pillar::cli
