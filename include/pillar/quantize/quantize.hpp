#pragma once
// From a model's file to the same model in smaller formats: which type each tensor gets
// (llama.cpp's rules), the search for scales, files that are whole or not there. One process; its
// threads share the rows of a matrix, and the bits do not depend on how many there are.

#include "pillar/core/function_ref.hpp"
#include "pillar/quant/mix.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pillar::quantize {

/// Tensors whose name a regular expression (ECMAScript, found anywhere in the name) matches.
struct TensorType {
    std::string pattern;
    quant::Type type;
};

struct Options {
    std::string input; ///< of a split model any part
    std::string
        output; ///< with split_max_bytes: "NAME.gguf" for NAME-00001-of-00003.gguf and so on
    quant::Mix mix = quant::Mix::q8_0;
    bool experts_alone = false;    ///< MXFP4_MOE: matrices of experts, the others in Q8_0
    bool pure = false;             ///< every matrix in the mix's base type
    bool allow_requantize = false; ///< sources below 8 bits too
    bool leave_output = false;     ///< output.weight stays as it is
    std::optional<quant::Type>
        output_type; ///< of the output matrix, also where it is the embedding
    std::optional<quant::Type> embedding_type; ///< of the token embedding; goes before output_type
    std::vector<TensorType> tensor_types;      ///< the first that matches counts
    std::string importance;                    ///< file of the importance matrix; empty: none
    std::uint64_t split_max_bytes = 0;         ///< tensor data a file; 0: one file
    int n_threads = 1;
    bool replace = false; ///< outputs that exist
    bool dry_run = false; ///< tell sizes, write nothing
};

/// What was done, or would be.
struct Summary {
    struct Tensor {
        std::string name;
        std::vector<std::uint64_t> shape;
        quant::Type from;
        quant::Type to;
        std::uint64_t bytes_before;
        std::uint64_t bytes_after;
        bool is_weighted; ///< by an importance matrix
    };
    std::vector<Tensor> tensors;      ///< in the file's order
    std::vector<std::string> outputs; ///< the files' names
    std::uint64_t n_weights = 0;
    std::uint64_t bytes_before = 0; ///< of the tensors' data
    std::uint64_t bytes_after = 0;
    std::size_t n_fallbacks = 0; ///< tensors whose width the wanted format does not divide
    /// Quantised matrices of layers that the importance matrix does not know.
    std::vector<std::string> unknown_to_importance;
};

/// For people: files, tensors by type, sizes; with the list of all tensors where asked.
std::string summary_text(const Summary& summary, bool with_tensors);

/// Called by the main thread as the work goes on: source bytes done.
using ShowProgress = FunctionRef<void(std::uint64_t done)>;

/// What quantize() would do: all checks but those of the weights themselves. Throws as it does.
Summary plan(const Options& options);

/// Write the model. Throws UsageError, FormatError (a source that is quantised already, weights
/// that are not finite, an importance matrix of another model), Error(refused) where the disk has
/// no room, IoError; nothing is left then.
Summary quantize(const Options& options, ShowProgress show);

/// One row in one format; n is a multiple of its block size. Weights are finite. `importance`:
/// nullptr, or of n columns, positive, about 1. For tests and measurements.
void encode_row(quant::Type type, const float* weights, const float* importance, std::size_t n,
                std::byte* out);

} // namespace pillar::quantize
