// Contiguous datasets whose place in the file is given out at once.

#include "pillar/storage/fixed_column.hpp"

#include "hdf5.hpp"
#include "rows.hpp"

#include "pillar/storage/writer.hpp"

namespace pillar::storage {

namespace {

Handle create_fixed(hid_t group, const Location& location, Type type, std::size_t n_rows,
                    std::size_t width) {
    const RowSpace space(location, n_rows, width);
    const Handle layout(check(H5Pcreate(H5P_DATASET_CREATE), location, "describe"), H5Pclose);
    check(H5Pset_layout(layout.get(), H5D_CONTIGUOUS), location, "describe");
    check(H5Pset_alloc_time(layout.get(), H5D_ALLOC_TIME_EARLY), location, "describe");
    check(H5Pset_fill_time(layout.get(), H5D_FILL_TIME_NEVER), location, "describe");
    const std::string name = location.path.substr(location.path.rfind('/') + 1);
    return {check(H5Dcreate2(group, name.c_str(), file_type(type), space.all(), H5P_DEFAULT,
                             layout.get(), H5P_DEFAULT),
                  location, "create"),
            H5Dclose};
}

} // namespace

FixedColumn::FixedColumn(Handle dataset, Location location, Type type, std::size_t n_rows,
                         std::size_t width)
    : dataset_(std::move(dataset)), location_(std::move(location)), type_(type), n_rows_(n_rows),
      width_(width) {}

void FixedColumn::write_rows(std::size_t first_row, std::size_t n_values, const void* values) {
    const std::size_t row_length = width_ == 0 ? 1 : width_;
    expects(n_values % row_length == 0, "columns are written by whole rows");
    const std::size_t n_new = n_values / row_length;
    expects(first_row <= n_rows_ && n_new <= n_rows_ - first_row, "the rows lie in the column");
    if (n_new == 0) return;
    RowSpace space(location_, n_rows_, width_);
    const Handle source = space.select(first_row, n_new);
    check(H5Dwrite(dataset_.get(), native_type(type_), source.get(), space.all(), H5P_DEFAULT,
                   values),
          location_, "write");
}

void FixedColumn::finish() {
    check(dataset_.close(), location_, "close");
}

FixedColumn Group::make_fixed_column(std::string_view name, Type type, const Description& what,
                                     std::size_t n_rows, std::size_t width) {
    Location location = child(name);
    Handle dataset = create_fixed(handle_.get(), location, type, n_rows, width);
    describe(dataset.get(), location, what);
    return {std::move(dataset), std::move(location), type, n_rows, width};
}

FixedColumn Group::find_fixed_column(std::string_view name, Type type, std::size_t n_rows,
                                     std::size_t width) {
    Location location = child(name);
    Handle dataset(H5Dopen2(handle_.get(), std::string(name).c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.is_open()) fail(location, "open", ExitCode::bad_data);
    const RowSpace wanted(location, n_rows, width);
    const Handle there(check(H5Dget_space(dataset.get()), location, "read"), H5Sclose);
    if (H5Sextent_equal(there.get(), wanted.all()) <= 0)
        throw FormatError(location.file, location.path, std::nullopt, "is of another shape");
    return {std::move(dataset), std::move(location), type, n_rows, width};
}

} // namespace pillar::storage
