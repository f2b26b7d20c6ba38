// Appending to datasets: extend, select the new rows, write.

#include "pillar/storage/column.hpp"

#include "hdf5.hpp"

#include <array>

namespace pillar::storage {

namespace {

/// Grow the dataset to n_old + n_new rows and write the new ones.
void write_rows(hid_t dataset, const Location& location, std::size_t width, std::size_t n_old,
                std::size_t n_new, hid_t in_memory, const void* values) {
    const int n_dimensions = width == 0 ? 1 : 2;
    const std::array<hsize_t, 2> extent{n_old + n_new, width};
    const std::array<hsize_t, 2> first{n_old, 0};
    const std::array<hsize_t, 2> count{n_new, width};
    check(H5Dset_extent(dataset, extent.data()), location, "extend");
    const Handle target(check(H5Dget_space(dataset), location, "extend"), H5Sclose);
    check(H5Sselect_hyperslab(target.get(), H5S_SELECT_SET, first.data(), nullptr, count.data(),
                              nullptr),
          location, "select rows of");
    const Handle source(
        check(H5Screate_simple(n_dimensions, count.data(), nullptr), location, "describe"),
        H5Sclose);
    check(H5Dwrite(dataset, in_memory, source.get(), target.get(), H5P_DEFAULT, values), location,
          "write");
}

} // namespace

Column::Column(Handle dataset, Location location, Type type, std::size_t width,
               std::size_t chunk_rows)
    : dataset_(std::move(dataset)), location_(std::move(location)), type_(type), width_(width),
      row_bytes_(size_of(type) * (width == 0 ? 1 : width)), chunk_bytes_(chunk_rows * row_bytes_) {}

void Column::append_bytes(std::span<const std::byte> bytes) {
    expects(bytes.size() % row_bytes_ == 0, "columns grow by whole rows");
    while (!bytes.empty()) {
        const std::size_t n = std::min(bytes.size(), chunk_bytes_ - buffer_.size());
        buffer_.insert(buffer_.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(n));
        bytes = bytes.subspan(n);
        if (buffer_.size() == chunk_bytes_) write_buffer();
    }
}

void Column::write_buffer() {
    const std::size_t n_new = buffer_.size() / row_bytes_;
    if (n_new == 0) return;
    write_rows(dataset_.get(), location_, width_, n_rows_, n_new, native_type(type_),
               buffer_.data());
    n_rows_ += n_new;
    buffer_.clear();
}

void Column::finish() {
    write_buffer();
    check(dataset_.close(), location_, "close");
}

TextColumn::TextColumn(Handle dataset, Location location)
    : dataset_(std::move(dataset)), location_(std::move(location)) {}

void TextColumn::append(std::string_view text) {
    const Handle type = text_type(location_);
    const std::string stored = stored_text(text);
    const char* pointer = stored.c_str();
    write_rows(dataset_.get(), location_, 0, n_rows_, 1, type.get(), &pointer);
    ++n_rows_;
}

void TextColumn::finish() {
    check(dataset_.close(), location_, "close");
}

} // namespace pillar::storage
