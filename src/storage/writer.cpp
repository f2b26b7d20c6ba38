// Creating files, groups and datasets.

#include "pillar/storage/writer.hpp"

#include "hdf5.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <unistd.h>

namespace pillar::storage {

namespace {

constexpr std::size_t chunk_target_bytes = std::size_t{64} << 10;
constexpr std::size_t max_chunk_rows = 4096;
constexpr unsigned deflate_level = 4;

std::size_t chunk_rows_for(std::size_t row_bytes) {
    return std::clamp(chunk_target_bytes / row_bytes, std::size_t{1}, max_chunk_rows);
}

Handle create_dataset(hid_t group, const Location& location, hid_t stored, std::size_t width,
                      std::size_t chunk_rows, bool compress) {
    const int n_dimensions = width == 0 ? 1 : 2;
    const std::array<hsize_t, 2> extent{0, width};
    const std::array<hsize_t, 2> limit{H5S_UNLIMITED, width};
    const std::array<hsize_t, 2> chunk{chunk_rows, width};
    const Handle space(
        check(H5Screate_simple(n_dimensions, extent.data(), limit.data()), location, "describe"),
        H5Sclose);
    const Handle layout(check(H5Pcreate(H5P_DATASET_CREATE), location, "describe"), H5Pclose);
    check(H5Pset_chunk(layout.get(), n_dimensions, chunk.data()), location, "describe");
    if (compress) {
        check(H5Pset_shuffle(layout.get()), location, "describe");
        check(H5Pset_deflate(layout.get(), deflate_level), location, "describe");
    }
    const std::string name = location.path.substr(location.path.rfind('/') + 1);
    return {check(H5Dcreate2(group, name.c_str(), stored, space.get(), H5P_DEFAULT, layout.get(),
                             H5P_DEFAULT),
                  location, "create"),
            H5Dclose};
}

Handle create_file(const std::string& path) {
    start_hdf5();
    const Location whole{path, "the file"};
    const Handle access = file_access(whole);
    const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get());
    if (id < 0) fail(whole, "create", ExitCode::cannot_create);
    return {id, H5Fclose};
}

Handle open_to_go_on(const std::string& path) {
    start_hdf5();
    const Location whole{path, "the file"};
    const Handle access = file_access(whole);
    return {check(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), whole, "open"), H5Fclose};
}

void write_to_medium(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) throw IoError::from_errno(path, "open", errno);
    const int synced = ::fsync(file);
    const int reason = errno;
    ::close(file);
    if (synced != 0) throw IoError::from_errno(path, "write to the medium", reason);
}

Group root_of(const Handle& file, const std::string& path) {
    return {Handle(check(H5Gopen2(file.get(), "/", H5P_DEFAULT), {path, "/"}, "open"), H5Gclose),
            {path, "/"}};
}

} // namespace

void describe(Handle::Id object, const Location& location, const Description& what) {
    if (!what.units.empty()) write_attribute(object, location, "units", what.units);
    if (!what.long_name.empty()) write_attribute(object, location, "long_name", what.long_name);
    if (what.meanings.empty()) return;
    std::vector<std::uint8_t> values;
    std::string meanings;
    for (const std::string& meaning : what.meanings) {
        meanings += (values.empty() ? "" : " ") + meaning;
        values.push_back(static_cast<std::uint8_t>(values.size()));
    }
    write_attribute(object, location, "flag_values", values);
    write_attribute(object, location, "flag_meanings", meanings);
}

Group::Group(Handle handle, Location location)
    : handle_(std::move(handle)), location_(std::move(location)) {}

Location Group::child(std::string_view name) const {
    return {location_.file,
            (location_.path == "/" ? "" : location_.path) + "/" + std::string(name)};
}

Group Group::group(std::string_view name) {
    Location location = child(name);
    const hid_t id = check(
        H5Gcreate2(handle_.get(), std::string(name).c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        location, "create");
    return {Handle(id, H5Gclose), std::move(location)};
}

void Group::write(std::string_view name, const Value& value) {
    write_attribute(handle_.get(), location_, std::string(name).c_str(), value);
}

Column Group::make_column(std::string_view name, Type type, const Description& what,
                          std::size_t width) {
    expects(what.meanings.empty() || type == Type::u8, "enumerations are u8");
    Location location = child(name);
    const std::size_t row_bytes = size_of(type) * std::max<std::size_t>(width, 1);
    const std::size_t chunk_rows = chunk_rows_for(row_bytes);
    Handle dataset =
        create_dataset(handle_.get(), location, file_type(type), width, chunk_rows, what.compress);
    describe(dataset.get(), location, what);
    return {std::move(dataset), std::move(location), type, width, chunk_rows};
}

TextColumn Group::text_column(std::string_view name, const Description& what) {
    Location location = child(name);
    const Handle type = text_type(location);
    // Only the references to the texts would be compressed, so there is no filter.
    Handle dataset = create_dataset(handle_.get(), location, type.get(), 0, 256, false);
    describe(dataset.get(), location, what);
    return {std::move(dataset), std::move(location)};
}

void Group::make_scale(const Column& scale, std::string_view name) {
    check(H5DSset_scale(scale.id(), std::string(name).c_str()), scale.location(),
          "make a dimension scale of");
}

void Group::attach_scale(Handle::Id column, const Location& location, const Column& scale,
                         unsigned index) {
    check(H5DSattach_scale(column, scale.id(), index), location, "label a dimension of");
}

File::File(const std::string& path)
    : path_(path), handle_(create_file(path)), root_(root_of(handle_, path)) {}

File::File(ToGoOn /*mode*/, const std::string& path)
    : path_(path), handle_(open_to_go_on(path)), root_(root_of(handle_, path)) {}

void File::sync() {
    check(H5Fflush(handle_.get(), H5F_SCOPE_GLOBAL), {path_, "the file"}, "write");
    write_to_medium(path_);
}

void File::close() {
    const Location whole{path_, "the file"};
    check(H5Fflush(handle_.get(), H5F_SCOPE_GLOBAL), whole, "write");
    root_ = Group(Handle(), {path_, "/"});
    check(handle_.close(), whole, "close");
    write_to_medium(path_);
}

} // namespace pillar::storage
