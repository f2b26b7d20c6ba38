// Reading columns and attributes back. Extents in a file are claims: they are checked before memory
// is asked for.

#include "pillar/storage/reader.hpp"

#include "hdf5.hpp"
#include "rows.hpp"

#include "pillar/core/sizes.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/core.h>
#include <hdf5_hl.h>
#include <unistd.h>

namespace pillar::storage {

namespace {

constexpr std::size_t max_elements = std::size_t{1} << 31;

Handle open_file(const std::string& path) {
    start_hdf5();
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw IoError::from_errno(path, "open", errno);
    ::close(file);
    if (H5Fis_hdf5(path.c_str()) <= 0) {
        throw FormatError(path, "", std::nullopt, "is not an HDF5 file");
    }
    const Location whole{path, "the file"};
    const Handle access = file_access(whole);
    return {check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), whole, "open"), H5Fclose};
}

std::string take_text(char* text) {
    std::string result = text == nullptr ? "" : text;
    H5free_memory(text);
    return result;
}

/// Append a scalar attribute of a kind that Value holds; pass over others.
void read_attribute(hid_t object, const Location& location, const std::string& name,
                    std::vector<NamedValue>& values) {
    const Handle attribute(check(H5Aopen(object, name.c_str(), H5P_DEFAULT), location, "read"),
                           H5Aclose);
    const Handle type(check(H5Aget_type(attribute.get()), location, "read"), H5Tclose);
    const Handle space(check(H5Aget_space(attribute.get()), location, "read"), H5Sclose);
    if (H5Sget_simple_extent_type(space.get()) != H5S_SCALAR) return;
    const H5T_class_t kind = H5Tget_class(type.get());
    if (kind == H5T_INTEGER) {
        std::int64_t value = 0;
        check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), location, "read");
        values.push_back({name, value});
    } else if (kind == H5T_FLOAT) {
        double value = 0;
        check(H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value), location, "read");
        values.push_back({name, value});
    } else if (kind == H5T_STRING && H5Tis_variable_str(type.get()) > 0) {
        char* text = nullptr;
        check(H5Aread(attribute.get(), type.get(), &text), location, "read");
        values.push_back({name, take_text(text)});
    }
}

herr_t collect_name(hid_t /*object*/, const char* name, const H5A_info_t* /*info*/, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

herr_t collect_link(hid_t /*group*/, const char* name, const H5L_info_t* /*info*/, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

} // namespace

Reader::Reader(const std::string& path) : file_(path), handle_(open_file(path)) {}

bool Reader::has(std::string_view path) const {
    for (std::size_t end = 1; end != std::string_view::npos;) {
        end = path.find('/', end + 1);
        const std::string part(path.substr(0, end));
        if (part != "/" && H5Lexists(handle_.get(), part.c_str(), H5P_DEFAULT) <= 0) return false;
    }
    return true;
}

Handle Reader::open_dataset(std::string_view path) const {
    const std::string name(path);
    if (!has(path)) throw FormatError(file_, name, std::nullopt, "is missing");
    const Location location{file_, name};
    Handle dataset(H5Dopen2(handle_.get(), name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.is_open()) fail(location, "open", ExitCode::bad_data);
    return dataset;
}

std::vector<std::string> Reader::members(std::string_view path) const {
    const Location location{file_, std::string(path)};
    if (!has(path)) throw FormatError(file_, location.path, std::nullopt, "is missing");
    const Handle group(
        check(H5Gopen2(handle_.get(), location.path.c_str(), H5P_DEFAULT), location, "open"),
        H5Gclose);
    std::vector<std::string> names;
    check(H5Literate(group.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_link, &names),
          location, "list");
    return names;
}

std::optional<Type> Reader::type(std::string_view path) const {
    const Location location{file_, std::string(path)};
    const Handle dataset = open_dataset(path);
    const Handle type(check(H5Dget_type(dataset.get()), location, "read"), H5Tclose);
    const std::size_t n_bytes = H5Tget_size(type.get());
    switch (H5Tget_class(type.get())) {
    case H5T_STRING:
        return std::nullopt;
    case H5T_FLOAT:
        return n_bytes <= size_of(Type::f32) ? Type::f32 : Type::f64;
    case H5T_INTEGER:
        if (H5Tget_sign(type.get()) == H5T_SGN_2)
            return n_bytes <= size_of(Type::i32) ? Type::i32 : Type::i64;
        if (n_bytes == 1) return Type::u8;
        return n_bytes <= size_of(Type::u32) ? Type::u32 : Type::u64;
    default:
        throw FormatError(file_, location.path, std::nullopt, "holds neither numbers nor texts");
    }
}

std::string Reader::dimension(std::string_view path, unsigned index) const {
    const Handle dataset = open_dataset(path);
    std::string name;
    // A scale's own name, of the first one that is attached.
    const auto take = [](hid_t, unsigned, hid_t scale, void* result) -> herr_t {
        char text[256] = {};
        if (H5DSget_scale_name(scale, text, sizeof text) > 0)
            *static_cast<std::string*>(result) = text;
        return 1;
    };
    if (H5DSis_scale(dataset.get()) > 0)
        return index == 0 ? std::string(path.substr(path.rfind('/') + 1)) : "";
    H5DSiterate_scales(dataset.get(), index, nullptr, take, &name);
    return name;
}

std::vector<std::size_t> Reader::shape(std::string_view path) const {
    const Location location{file_, std::string(path)};
    const Handle dataset = open_dataset(path);
    const Handle space(check(H5Dget_space(dataset.get()), location, "read"), H5Sclose);
    const int n = check(H5Sget_simple_extent_ndims(space.get()), location, "read");
    std::vector<hsize_t> extent(static_cast<std::size_t>(n));
    check(H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr), location, "read");
    return {extent.begin(), extent.end()};
}

std::size_t Reader::n_elements(std::string_view path) const {
    std::size_t n = 1;
    for (const std::size_t length : shape(path)) {
        const auto product = checked_mul(n, length);
        if (!product || *product > max_elements) {
            throw FormatError(file_, std::string(path), std::nullopt, "claims too many elements");
        }
        n = *product;
    }
    return n;
}

void Reader::read(std::string_view path, Type type, void* values) const {
    const Location location{file_, std::string(path)};
    const Handle dataset = open_dataset(path);
    check(H5Dread(dataset.get(), native_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values),
          location, "read");
}

void Reader::read_rows(std::string_view path, Type type, std::size_t first_row,
                       std::size_t n_values, void* values) const {
    const Location location{file_, std::string(path)};
    const std::vector<std::size_t> extent = shape(path);
    const std::size_t width = extent.size() == 2 ? extent[1] : 0;
    const std::size_t row_length = std::max<std::size_t>(width, 1);
    const std::size_t n_rows = n_values / row_length;
    if (extent.empty() || extent.size() > 2 || n_values % row_length != 0 ||
        first_row > extent[0] || n_rows > extent[0] - first_row)
        throw FormatError(file_, location.path, std::nullopt, "is of another shape");
    const Handle dataset = open_dataset(path);
    RowSpace space(location, extent[0], width);
    const Handle target = space.select(first_row, n_rows);
    check(H5Dread(dataset.get(), native_type(type), target.get(), space.all(), H5P_DEFAULT, values),
          location, "read");
}

std::vector<std::string> Reader::texts(std::string_view path) const {
    const Location location{file_, std::string(path)};
    std::vector<char*> pointers(n_elements(path), nullptr);
    const Handle dataset = open_dataset(path);
    const Handle type(check(H5Dget_type(dataset.get()), location, "read"), H5Tclose);
    if (H5Tis_variable_str(type.get()) <= 0) {
        throw FormatError(file_, location.path, std::nullopt, "holds no texts");
    }
    check(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()),
          location, "read");
    std::vector<std::string> result;
    result.reserve(pointers.size());
    for (char* text : pointers) result.push_back(take_text(text));
    return result;
}

std::vector<NamedValue> Reader::attributes(std::string_view path) const {
    const Location location{file_, std::string(path)};
    if (!has(path)) throw FormatError(file_, location.path, std::nullopt, "is missing");
    const Handle object(
        check(H5Oopen(handle_.get(), location.path.c_str(), H5P_DEFAULT), location, "open"),
        H5Oclose);
    std::vector<std::string> names;
    check(H5Aiterate2(object.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names),
          location, "list attributes of");
    std::vector<NamedValue> result;
    for (const std::string& name : names) read_attribute(object.get(), location, name, result);
    return result;
}

std::optional<Value> Reader::attribute(std::string_view path, std::string_view name) const {
    for (NamedValue& entry : attributes(path)) {
        if (entry.name == name) return std::move(entry.value);
    }
    return std::nullopt;
}

} // namespace pillar::storage
