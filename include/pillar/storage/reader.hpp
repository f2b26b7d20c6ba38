#pragma once
// Reading an HDF5 file back: columns as vectors, attributes as values. Errors: IoError when the
// file cannot be read, FormatError when it is no HDF5 file or a column is missing or of an
// unexpected shape.

#include "pillar/storage/column.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::storage {

class Reader {
  public:
    explicit Reader(const std::string& path);

    /// Is there a group or dataset of this path ("/steps/duration_s")?
    [[nodiscard]] bool has(std::string_view path) const;
    /// Names of the datasets of a group, or of the groups of "/", in alphabetical order.
    [[nodiscard]] std::vector<std::string> members(std::string_view path) const;
    /// What a dataset holds; nothing: texts. Throws FormatError for what is none of these.
    [[nodiscard]] std::optional<Type> type(std::string_view path) const;
    /// The name of the scale that labels dimension `index` of a dataset; empty: it has none.
    [[nodiscard]] std::string dimension(std::string_view path, unsigned index) const;
    /// Lengths of a dataset's dimensions.
    [[nodiscard]] std::vector<std::size_t> shape(std::string_view path) const;
    /// All elements, rows first, converted to T.
    template <class T>
    [[nodiscard]] std::vector<T> column(std::string_view path) const {
        std::vector<T> values(n_elements(path));
        read(path, type_of<T>(), values.data());
        return values;
    }
    /// Rows from `first_row` on of a dataset of (rows, width), or of (rows): as many as `values`
    /// holds, which lie in it.
    template <class T>
    void rows(std::string_view path, std::size_t first_row, std::span<T> values) const {
        read_rows(path, type_of<T>(), first_row, values.size(), values.data());
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view path) const;

    /// All text, integer and float attributes of a group or dataset that are scalar, by name.
    [[nodiscard]] std::vector<NamedValue> attributes(std::string_view path) const;
    [[nodiscard]] std::optional<Value> attribute(std::string_view path,
                                                 std::string_view name) const;

  private:
    [[nodiscard]] Handle open_dataset(std::string_view path) const;
    [[nodiscard]] std::size_t n_elements(std::string_view path) const;
    void read(std::string_view path, Type type, void* values) const;
    void read_rows(std::string_view path, Type type, std::size_t first_row, std::size_t n_values,
                   void* values) const;

    std::string file_;
    Handle handle_;
};

} // namespace pillar::storage
