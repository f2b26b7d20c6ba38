#pragma once
// A GGUF file (version 2 or 3): its tensors, and reading one piece of one. Specification:
// docs/gguf.md of ggml. What is wrong is a FormatError with field and byte offset. Which slices a
// rank reads is model's business; this module only counts what was asked for.

#include "pillar/core/errors.hpp"
#include "pillar/quant/type.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::gguf {

class Metadata;   // value.hpp
struct Directory; // directory.hpp

/// Bounds on what a file may ask for: far above any real model, low enough that no file can exhaust
/// a machine.
inline constexpr std::uint64_t max_metadata_pairs = 65'536;
inline constexpr std::uint64_t max_tensors = 65'536;
inline constexpr std::uint64_t max_key_bytes = 65'535;
inline constexpr std::uint64_t max_string_bytes = 16u << 20;
inline constexpr std::uint32_t max_dimensions = 4;
inline constexpr std::uint64_t max_tensor_name_bytes = 63;
inline constexpr std::uint32_t max_alignment = 65'536;

struct TensorInfo {
    std::string name;
    const quant::TypeInfo* type = nullptr;
    /// ggml's order: shape[0] = columns (contiguous), shape[1] = rows, …
    std::vector<std::uint64_t> shape;
    std::uint64_t offset = 0; ///< absolute byte offset of the data in its part's file
    std::uint64_t size_bytes = 0;
    std::uint32_t part = 0; ///< which file of a split model

    [[nodiscard]] std::uint64_t n_columns() const noexcept { return shape.empty() ? 1 : shape[0]; }
    [[nodiscard]] std::uint64_t n_rows() const noexcept; ///< product of the other dimensions
    [[nodiscard]] std::uint64_t n_elements() const noexcept { return n_columns() * n_rows(); }
    /// So many matrices of these columns and rows (1 row: a vector). Trailing dimensions of 1 mean
    /// nothing.
    [[nodiscard]] bool has_shape(std::uint64_t n_columns, std::uint64_t n_rows,
                                 std::uint64_t n_matrices = 1) const noexcept;
    [[nodiscard]] std::uint64_t row_bytes() const noexcept {
        return n_rows() == 0 ? 0 : size_bytes / n_rows();
    }
};

/// Gives `out.size()` bytes of a tensor from byte `begin` of its data on, where no file does.
/// Thread-safe.
using ReadTensor =
    std::function<void(const TensorInfo& tensor, std::uint64_t begin, std::span<std::byte> out)>;

/// An open model: one file, or all parts of a split one (any part's path, "-00001-of-00003.gguf",
/// names the model).
/// The files that File(path) reads: of a split model, by its name, all parts. They need not exist.
std::vector<std::string> files_of_model(const std::filesystem::path& path);

class File {
  public:
    /// Open and parse. Throws FormatError (65) or IoError (66 when it is no regular file, else 74).
    explicit File(const std::filesystem::path& path);
    /// A model without a file: what its directory would be, and who makes its tensors' bytes.
    /// `name` stands in errors and path().
    File(std::string name, Directory directory, ReadTensor read);
    ~File();
    File(File&&) noexcept;
    File& operator=(File&&) noexcept;

    [[nodiscard]] const std::string& path() const noexcept;  ///< of the first part, as given
    [[nodiscard]] const Metadata& metadata() const noexcept; ///< of the first part
    [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept; ///< of all parts
    /// nullptr when absent
    [[nodiscard]] const TensorInfo* find_tensor(std::string_view name) const noexcept;
    [[nodiscard]] std::uint32_t version() const noexcept;
    [[nodiscard]] std::uint64_t size_bytes() const noexcept;  ///< of all parts
    [[nodiscard]] std::uint64_t header_hash() const noexcept; ///< of all parts' headers and sizes
    [[nodiscard]] std::span<const std::string> warnings() const noexcept;

    /// pread `out.size()` bytes of a tensor from byte `begin` of its data on. Thread-safe, no
    /// allocation. Throws IoError (74) naming file, tensor and offset on a short read or an I/O
    /// error.
    void read(const TensorInfo& tensor, std::uint64_t begin, std::span<std::byte> out) const;

    /// Throws IoError (74) when a file was written to since it was opened; of one tensor: its file.
    /// What was read before the call is then not to be trusted. Thread-safe, no allocation.
    void expect_unchanged() const;
    void expect_unchanged(const TensorInfo& tensor) const;

    /// An error about this file: FormatError with the path of the first part.
    [[nodiscard]] FormatError error(const std::string& field, const std::string& problem) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace pillar::gguf
