#pragma once
// The scores of the model that another one is compared with, logits and all, read row by row.

#include "text_windows.hpp"

#include "pillar/storage/reader.hpp"

#include <span>
#include <string>

namespace pillar::evaluate {

/// Rank 0 only.
class BaseFile {
  public:
    /// Throws IoError; FormatError where it is no score file, has no logits, is not complete, or is
    /// of windows of another shape.
    BaseFile(const std::string& path, const WindowShape& shape);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::size_t n_windows() const noexcept { return n_windows_; }
    [[nodiscard]] std::size_t vocab_size() const noexcept { return vocab_size_; }
    /// Hash of the model's header, "" where the file does not tell.
    [[nodiscard]] std::string model_hash() const;
    /// (n_windows, length)
    [[nodiscard]] TokenIds windows() const;

    /// Throws FormatError unless the first tokens of the base's windows are these.
    void expect_same(const TokenIds& windows) const;

    /// A window's ln Σ exp, (n_scored).
    void read_log_sums(std::size_t window, std::span<double> values) const;
    /// The logits of its score number k, (vocab_size).
    void read_logits(std::size_t window, std::size_t k, std::span<float> values) const;

  private:
    std::string path_;
    storage::Reader reader_;
    WindowShape shape_;
    std::size_t n_windows_ = 0;
    std::size_t vocab_size_ = 0;
};

} // namespace pillar::evaluate
