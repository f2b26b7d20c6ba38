#pragma once
// The files that are written: one, or parts of a split model. None has its name before all are
// whole.

#include "columns/column_importance.hpp"

#include "pillar/gguf/writer.hpp"
#include "pillar/quantize/quantize.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pillar::quantize {

/// How many tensors go into each file, in order: as many as fit into `max_bytes`, at least one.
std::vector<std::size_t> tensors_of_parts(const std::vector<Summary::Tensor>& tensors,
                                          std::uint64_t max_bytes);

/// "m.gguf" alone where `n_parts` is 0, else "m-00001-of-00003.gguf" and so on.
std::vector<std::string> output_names(const std::string& output, std::size_t n_parts);

/// Throws as expect_output(), for each file; Error(refused) where their folder has no room for
/// `bytes`.
void expect_room(const std::vector<std::string>& outputs, const Options& options,
                 std::uint64_t bytes);

class OutputFiles {
  public:
    /// Declares everything; data follow tensor by tensor. Throws IoError, FormatError.
    OutputFiles(const gguf::File& model, const Summary& summary, const Options& options,
                const ColumnImportance& importance);
    /// Of the next tensor, whole or in pieces.
    void write(std::span<const std::byte> bytes) { writers_[current_]->write(bytes); }
    /// The tensor's data are all there.
    void next_tensor();
    /// Give all files their names.
    void close();

  private:
    std::vector<std::size_t> n_tensors_; ///< of each file
    std::vector<std::unique_ptr<gguf::Writer>> writers_;
    std::size_t current_ = 0;
    std::size_t n_done_ = 0; ///< tensors of the current file
};

} // namespace pillar::quantize
