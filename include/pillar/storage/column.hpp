#pragma once
// Columns: one dataset each, chunked, shuffle + deflate, unlimited in the first dimension, so that
// readers get labelled arrays and a writer may stream. Rows are buffered and written a chunk at a
// time; finish() writes the rest. Every failure is an IoError that names the file and the dataset.

#include "pillar/core/errors.hpp"
#include "pillar/storage/handle.hpp"
#include "pillar/storage/types.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::storage {

/// Where an object is, for error sentences.
struct Location {
    std::string file; ///< as the user gave it
    std::string path; ///< "/steps/duration_s"
};

/// Numbers, (n_rows) or (n_rows, width).
class Column {
  public:
    /// Made by Group::column.
    Column(Handle dataset, Location location, Type type, std::size_t width, std::size_t chunk_rows);

    /// Append whole rows: values.size() is a multiple of the width.
    template <class T>
    void append(std::span<const T> values) {
        expects(type_of<T>() == type_, "a column is written in its own type");
        append_bytes(std::as_bytes(values));
    }
    template <class T>
    void append(const T& value) {
        append(std::span<const T>(&value, 1));
    }
    /// Write what is still buffered and close. Must be called; without it buffered rows are lost.
    void finish();

    [[nodiscard]] std::size_t n_rows() const noexcept { return n_rows_; }
    [[nodiscard]] const Location& location() const noexcept { return location_; }
    [[nodiscard]] Handle::Id id() const noexcept { return dataset_.get(); }

  private:
    void append_bytes(std::span<const std::byte> bytes);
    void write_buffer();

    Handle dataset_;
    Location location_;
    Type type_;
    std::size_t width_;
    std::size_t row_bytes_;
    std::size_t chunk_bytes_;
    std::size_t n_rows_ = 0; ///< in the file
    std::vector<std::byte> buffer_;
};

/// Texts, (n_rows): variable-length UTF-8. Written at once.
class TextColumn {
  public:
    /// Made by Group::text_column.
    TextColumn(Handle dataset, Location location);

    void append(std::string_view text);
    void finish();

    [[nodiscard]] const Location& location() const noexcept { return location_; }
    [[nodiscard]] Handle::Id id() const noexcept { return dataset_.get(); }

  private:
    Handle dataset_;
    Location location_;
    std::size_t n_rows_ = 0;
};

} // namespace pillar::storage
