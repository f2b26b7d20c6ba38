#pragma once
// One rank's slice of a weight matrix in the layout that a kernel family wants: rows in groups, a
// group one contiguous stream, repacked once at load from the file's bytes. Repacking loses
// nothing.
//
// A matrix has n_rows outputs and one or more column slices. Column-parallel products (q, k, v,
// gate, up, vocabulary) have one slice, the whole row. Row-parallel products (attention output,
// down) have this rank's slices of 8 (or its one slice of P), each summed from +0 and then added as
// a balanced binary tree.

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/kernels/activations.hpp"
#include "pillar/quant/type.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::kernels {

struct Family;

struct MatrixShape {
    quant::Type type = quant::Type::f32;
    std::size_t n_rows = 0;    ///< outputs held by this rank
    std::size_t n_columns = 0; ///< of the tensor's row in the file
    std::vector<Slice> slices; ///< adjacent, in order; their number is a power of two

    /// Blocks of the file's format that cover all slices: what has to be read of each row.
    struct FileBlocks {
        std::size_t first = 0;
        std::size_t count = 0;
    };
    [[nodiscard]] FileBlocks file_blocks() const noexcept;
};

class Matrix {
  public:
    Matrix() = default;
    /// Bytes that a matrix takes, a multiple of 64, so that matrices can lie one after another.
    static std::size_t packed_bytes(const Family& family, const MatrixShape& shape);
    /// Allocate for `shape` as `family` lays it out; content is zero until packed.
    Matrix(const Family& family, MatrixShape shape);
    /// In memory that outlives the matrix: packed_bytes(), zero, aligned to 64.
    Matrix(const Family& family, MatrixShape shape, std::span<std::byte> memory);

    [[nodiscard]] const Family& family() const noexcept { return *family_; }
    [[nodiscard]] const MatrixShape& shape() const noexcept { return shape_; }
    [[nodiscard]] std::size_t n_groups() const noexcept { return n_groups_; }
    [[nodiscard]] std::size_t group_bytes() const noexcept { return group_bytes_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return n_groups_ * group_bytes_; }
    [[nodiscard]] std::byte* group(std::size_t g) noexcept { return data_ + g * group_bytes_; }
    [[nodiscard]] const std::byte* group(std::size_t g) const noexcept {
        return data_ + g * group_bytes_;
    }

    /// Pack rows [g·R, …) of the slice: `rows` points to R pieces of file bytes
    /// (shape.file_blocks() of each row), nullptr where the matrix has no such row. Different
    /// groups may be packed by different threads.
    void pack_group(std::size_t g, std::span<const std::byte* const> rows);

  private:
    const Family* family_ = nullptr;
    MatrixShape shape_;
    std::size_t n_groups_ = 0;
    std::size_t group_bytes_ = 0;
    AlignedBuffer<std::byte> own_; ///< empty where the memory is another's
    std::byte* data_ = nullptr;
};

/// y[c · y_stride + r] = Σ over the slices of W[r, :] · x[c], for the rows of groups [group_begin,
/// group_end) and all columns of x. Threads share the groups. The order of operations is that
/// of docs/architecture.md, "Same bits", in every family.
void multiply(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
              std::size_t group_begin, std::size_t group_end) noexcept;

} // namespace pillar::kernels
