#pragma once
// The importance matrix as the encoders take it: for each weight matrix one positive number a
// column, about 1.

#include "pillar/gguf/file.hpp"
#include "pillar/importance/importance.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace pillar::quantize {

class ColumnImportance {
  public:
    ColumnImportance() = default;
    /// Throws FormatError where the file is of another model: it names a tensor that `model` does
    /// not have, or not of this size; IoError.
    ColumnImportance(const std::string& path, const gguf::File& model);

    [[nodiscard]] bool empty() const noexcept { return columns_.empty(); }
    [[nodiscard]] bool knows(std::string_view tensor) const { return columns_.contains(tensor); }
    /// [matrix][column]; empty: not known.
    [[nodiscard]] std::span<const float> of(std::string_view tensor) const;

    // What is told of it in the written file.
    [[nodiscard]] std::size_t n_entries() const noexcept { return columns_.size(); }
    [[nodiscard]] const std::vector<std::string>& datasets() const noexcept { return datasets_; }
    [[nodiscard]] std::uint32_t chunk_count() const noexcept { return chunk_count_; }

  private:
    std::map<std::string, std::vector<float>, std::less<>> columns_;
    std::vector<std::string> datasets_;
    std::uint32_t chunk_count_ = 0;
};

} // namespace pillar::quantize
