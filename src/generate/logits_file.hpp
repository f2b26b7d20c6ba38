#pragma once
// The file that `logits` writes: /ids (T) and /logits (T × vocabulary, f32), row t = logits after
// ids[0..t]. Written as FILE.part and renamed when whole.

#include "pillar/core/output_file.hpp"
#include "pillar/storage/writer.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pillar::generate {

/// Rank 0 only.
class LogitsFile {
  public:
    /// Throws IoError(cannot_create). An existing file is replaced.
    LogitsFile(const std::string& path, std::span<const std::int32_t> ids, std::size_t vocab_size);

    /// Rows come in order.
    void append(std::span<const float> logits);
    void close();

  private:
    OutputFile output_;
    std::optional<storage::File> file_; ///< none where all is dropped
    std::optional<storage::Column> logits_;
};

} // namespace pillar::generate
