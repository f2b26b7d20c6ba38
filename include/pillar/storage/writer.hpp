#pragma once
// Writing an HDF5 file: groups, columns, attributes, dimension scales. Serial HDF5, one process,
// default (earliest) file format, so that every reader since 1.8 opens it. How a file becomes
// complete in one stroke (.part, rename) is trace's business.

#include "pillar/storage/column.hpp"
#include "pillar/storage/fixed_column.hpp"

#include <string_view>
#include <type_traits>

namespace pillar::storage {

class Group {
  public:
    /// Made by File and by group().
    Group(Handle handle, Location location);

    [[nodiscard]] Group group(std::string_view name);

    /// Texts, integers, floating-point numbers, or a Value.
    template <class T>
    void attribute(std::string_view name, const T& value) {
        if constexpr (std::is_same_v<T, Value>) {
            write(name, value);
        } else if constexpr (std::is_integral_v<T>) {
            write(name, static_cast<std::int64_t>(value));
        } else if constexpr (std::is_floating_point_v<T>) {
            write(name, static_cast<double>(value));
        } else {
            write(name, std::string(std::string_view(value)));
        }
    }

    /// An empty column of (0) or, with a width, (0, width) elements. Enumerations (meanings) are u8
    /// with CF's flag_values and flag_meanings.
    template <class T>
    [[nodiscard]] Column column(std::string_view name, const Description& what,
                                std::size_t width = 0) {
        return make_column(name, type_of<T>(), what, width);
    }
    /// A column of a fixed length (fixed_column.hpp).
    template <class T>
    [[nodiscard]] FixedColumn fixed_column(std::string_view name, const Description& what,
                                           std::size_t n_rows, std::size_t width = 0) {
        return make_fixed_column(name, type_of<T>(), what, n_rows, width);
    }
    /// One that is there, to be written on. Throws FormatError where it is missing or of another
    /// shape.
    template <class T>
    [[nodiscard]] FixedColumn open_fixed_column(std::string_view name, std::size_t n_rows,
                                                std::size_t width = 0) {
        return find_fixed_column(name, type_of<T>(), n_rows, width);
    }
    [[nodiscard]] TextColumn text_column(std::string_view name, const Description& what);

    /// Make `scale` the dimension of this name.
    void make_scale(const Column& scale, std::string_view name);
    /// Label dimension `index` of a column with a scale.
    template <class AnyColumn>
    void attach(const AnyColumn& column, const Column& scale, unsigned index = 0) {
        attach_scale(column.id(), column.location(), scale, index);
    }

    [[nodiscard]] const Location& location() const noexcept { return location_; }

  private:
    void write(std::string_view name, const Value& value);
    Column make_column(std::string_view name, Type type, const Description& what,
                       std::size_t width);
    FixedColumn make_fixed_column(std::string_view name, Type type, const Description& what,
                                  std::size_t n_rows, std::size_t width);
    FixedColumn find_fixed_column(std::string_view name, Type type, std::size_t n_rows,
                                  std::size_t width);
    void attach_scale(Handle::Id column, const Location& location, const Column& scale,
                      unsigned index);
    [[nodiscard]] Location child(std::string_view name) const;

    Handle handle_;
    Location location_;
};

/// A new file, or one that is written on.
class File {
  public:
    /// Replaces an existing file. Throws IoError(cannot_create).
    explicit File(const std::string& path);
    struct ToGoOn {};
    /// A file that is there. Throws IoError.
    File(ToGoOn, const std::string& path);

    [[nodiscard]] Group& root() noexcept { return root_; }
    /// Write everything to the medium (fsync).
    void sync();
    /// The same, then close. Throws IoError; without it errors of
    /// closing go unseen.
    void close();

  private:
    std::string path_;
    Handle handle_;
    Group root_;
};

} // namespace pillar::storage
