#pragma once
// The dataspace of a column, and a run of its rows in it.

#include "hdf5.hpp"

#include <array>

namespace pillar::storage {

class RowSpace {
  public:
    /// Of (n_rows), or (n_rows, width).
    RowSpace(const Location& location, std::size_t n_rows, std::size_t width)
        : location_(location), n_dimensions_(width == 0 ? 1 : 2), width_(width) {
        const std::array<hsize_t, 2> extent{n_rows, width};
        all_ = Handle(
            check(H5Screate_simple(n_dimensions_, extent.data(), nullptr), location, "describe"),
            H5Sclose);
    }

    /// From now on all() is these rows; returns their space in memory.
    Handle select(std::size_t first_row, std::size_t n_rows) {
        const std::array<hsize_t, 2> first{first_row, 0};
        const std::array<hsize_t, 2> count{n_rows, width_};
        check(H5Sselect_hyperslab(all_.get(), H5S_SELECT_SET, first.data(), nullptr, count.data(),
                                  nullptr),
              location_, "select rows of");
        return {
            check(H5Screate_simple(n_dimensions_, count.data(), nullptr), location_, "describe"),
            H5Sclose};
    }
    [[nodiscard]] hid_t all() const noexcept { return all_.get(); }

  private:
    const Location& location_;
    int n_dimensions_;
    std::size_t width_;
    Handle all_;
};

} // namespace pillar::storage
