#pragma once
// One tensor after another: rows are read, checked, encoded and written a piece at a time. The
// threads take rows as they come to them; which thread had a row does not change its bits.

#include "encoders/family.hpp"
#include "output/output_files.hpp"

#include "pillar/gguf/file.hpp"
#include "pillar/quantize/quantize.hpp"
#include "pillar/threads/team.hpp"

#include <atomic>
#include <cstddef>
#include <exception>
#include <span>
#include <vector>

namespace pillar::quantize {

class TensorPass {
  public:
    TensorPass(const gguf::File& model, threads::Team& team, OutputFiles& outputs);

    /// `importance`: [matrix][column], empty where not known. Calls `show` with the tensor's bytes
    /// so far. Throws FormatError naming the first weight that is not finite, or too large for the
    /// format; IoError.
    void run(const gguf::TensorInfo& tensor, quant::Type to, std::span<const float> importance,
             ShowProgress show);

  private:
    /// A weight that cannot be written, by its place in the tensor.
    struct BadWeight {
        std::uint64_t place = ~std::uint64_t{0};
        float value = 0.0f;
    };
    /// What a thread has of its own.
    struct Desk {
        std::vector<std::byte> source;
        std::vector<float> weights; ///< of one row
        BadWeight first_bad;
        std::exception_ptr failure;
    };
    struct Piece {
        const gguf::TensorInfo* tensor;
        quant::Type to;
        std::span<const float> importance;
        std::uint64_t first_row;
        std::uint64_t n_rows;
        std::uint64_t rows_at_once; ///< that a thread takes
    };

    void encode(const Piece& piece);
    void take_rows(const Piece& piece, Desk& desk, std::atomic<std::uint64_t>& next);
    void encode_rows(const Piece& piece, Desk& desk, std::uint64_t begin, std::uint64_t end);
    void read_row(const gguf::TensorInfo& tensor, const std::byte* row,
                  std::span<float> weights) const;
    void note_bad(const gguf::TensorInfo& tensor, std::uint64_t row, float limit, Desk& desk) const;
    void expect_good(const gguf::TensorInfo& tensor, quant::Type to) const;

    const gguf::File& model_;
    threads::Team& team_;
    OutputFiles& outputs_;
    const Family& family_;
    std::vector<Desk> desks_;
    std::vector<std::byte> encoded_; ///< of a piece
};

} // namespace pillar::quantize
