#pragma once
// Columns of a fixed length whose rows are written in place, in any order and again. All of the
// file that tells what it holds is written when it is made; later writes change numbers alone. So a
// file whose writer has ended at any time is whole, and can be opened again to go on.

#include "pillar/core/errors.hpp"
#include "pillar/storage/column.hpp"

#include <cstddef>
#include <span>

namespace pillar::storage {

/// Numbers, (n_rows) or (n_rows, width). What was never written is undefined.
class FixedColumn {
  public:
    /// Made by Group::fixed_column and Group::open_fixed_column.
    FixedColumn(Handle dataset, Location location, Type type, std::size_t n_rows,
                std::size_t width);

    /// Whole rows, from `first_row` on.
    template <class T>
    void write(std::size_t first_row, std::span<const T> values) {
        expects(type_of<T>() == type_, "a column is written in its own type");
        write_rows(first_row, values.size(), values.data());
    }
    /// Must be called before the file is closed.
    void finish();

    [[nodiscard]] std::size_t n_rows() const noexcept { return n_rows_; }
    [[nodiscard]] const Location& location() const noexcept { return location_; }

  private:
    void write_rows(std::size_t first_row, std::size_t n_values, const void* values);

    Handle dataset_;
    Location location_;
    Type type_;
    std::size_t n_rows_;
    std::size_t width_;
};

} // namespace pillar::storage
